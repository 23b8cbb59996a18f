import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { problemStatus } from './problem.ts';
import { type ProblemCode, problemCatalogue } from './problem-catalogue.ts';

const root = join(import.meta.dirname, '../../..');
const CODES = Object.keys(problemCatalogue) as ProblemCode[];

const HEAD = `# Problems

Every error of the API is a problem details object (RFC 9457, \`application/problem+json\`). Tell problems
apart by \`type\`, which is stable: \`/problems/{code}\`, and \`GET /problems/{code}\` answers with the section
below. \`detail\` is a sentence about the one occurrence, \`errors\` names the fields that are wrong, and
\`instance\` is the request's id as in the header \`X-Request-Id\`, under which the log has the request (it is
left out where the answer may be the replayed outcome of a write, which is the same to the byte).

What is refused has changed nothing unless a section says otherwise. A client that repeats a write sends it
with an \`Idempotency-Key\`, and so never does it twice.
`;

/** `docs/problems.md`: a section for each, by status. */
function page(): string {
  const codes = CODES.toSorted((a, b) => problemStatus(a) - problemStatus(b));
  const sections = codes.map((code) => {
    const { title, meaning, remedy, retryAfterS } = problemCatalogue[code];
    const wait = retryAfterS === undefined ? '' : `, \`Retry-After: ${retryAfterS}\``;
    return `## ${code}\n\n**${problemStatus(code)}**${wait}: ${title}.\n\n${meaning}\n\nWhat to do: ${remedy}\n`;
  });
  return `${HEAD}\n${sections.join('\n')}`;
}

test('docs/problems.md says what the catalogue says', async () => {
  await expect(page()).toMatchFileSnapshot(join(root, 'docs/problems.md'));
});

test('every documented problem is raised somewhere', () => {
  const folders = ['apps/api/src', 'packages/storage/src'];
  const sources = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !/\.test\.ts$|(^|\/)testing\//.test(name))
      .filter((name) => !/problem-(catalogue|schemas)\.ts$|-schemas\.ts$|errors\.ts$/.test(name))
      .map((name) => readFileSync(join(root, folder, name), 'utf8')),
  );
  const raised = (code: string) => sources.some((text) => text.includes(`'${code}'`));
  expect(CODES.filter((code) => !raised(code))).toEqual([]);
});
