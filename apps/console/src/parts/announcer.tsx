import { useEffect, useRef, useState } from 'preact/hooks';
import { desiredPhase, effectivePhase, isStale, silence } from '../api/snapshot.ts';

/** Tells screen readers what moved while nobody touched anything: the phase, and whether the api answers. */
export function Announcer() {
  const [text, setText] = useState('');
  const effective = effectivePhase.value;
  const desired = desiredPhase.value;
  const isSilent = isStale.value && silence.value !== null;
  const before = useRef({ effective, desired, isSilent });
  useEffect(() => {
    const last = before.current;
    before.current = { effective, desired, isSilent };
    if (last.effective !== undefined && effective !== undefined && last.effective !== effective) {
      setText(`The phase is ${effective} now.`);
    } else if (last.desired !== undefined && desired !== last.desired && desired !== effective) {
      setText(`The phase moves from ${effective} to ${desired}.`);
    } else if (isSilent !== last.isSilent) {
      setText(isSilent ? 'The API does not answer; the data is old.' : 'The API answers again.');
    }
  }, [effective, desired, isSilent]);
  return (
    <p class="only-read" role="status" aria-live="polite">
      {text}
    </p>
  );
}
