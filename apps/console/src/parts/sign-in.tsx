import { useState } from 'preact/hooks';
import { session, signIn } from '../api/session.ts';

/** Takes the operators' token from who has no session, or none any more. */
export function SignIn() {
  const [token, setToken] = useState('');
  const [isBusy, setBusy] = useState(false);
  const { value } = session;
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    await signIn(token.trim());
    setBusy(false);
  };
  return (
    <main class="sign-in" id="main">
      <form onSubmit={submit}>
        <h1>Tandem console</h1>
        <p>
          Sign in with the operators’ token. It stands in <code>operator-token</code> in the data
          folder, or is the one that <code>OPERATOR_TOKEN</code> sets.
        </p>
        {value.state === 'out' && value.why !== null && (
          <p class="note tone-warn" role="alert">
            <span aria-hidden="true" class="shape">
              ▲
            </span>
            {value.why}
          </p>
        )}
        <label>
          Operators’ token
          <input
            type="password"
            autocomplete="off"
            required
            value={token}
            onInput={({ currentTarget }) => setToken(currentTarget.value)}
          />
        </label>
        <button type="submit" disabled={isBusy} aria-busy={isBusy}>
          Sign in
        </button>
      </form>
    </main>
  );
}
