/** JSON behind a summary, for what has no form of its own. */
export const JsonText = ({ summary, value }: { summary: string; value: unknown }) => (
  <details class="json-text">
    <summary>{summary}</summary>
    <pre>
      <code>{typeof value === 'string' ? value : JSON.stringify(value, null, 2)}</code>
    </pre>
  </details>
);
