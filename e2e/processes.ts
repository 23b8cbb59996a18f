import { readdirSync, readFileSync } from 'node:fs';

/** The processes started by `parent`, or by its children, whose command line has the text. */
export function descendants(parent: number, text: string): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(`/proc/${name}/stat`);
    // The command's name, in parentheses, may hold anything.
    const ppid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    if (stat !== '') parents.set(Number(name), ppid);
  }
  const isBelow = (pid: number): boolean => {
    const ppid = parents.get(pid);
    return ppid !== undefined && (ppid === parent || isBelow(ppid));
  };
  return [...parents.keys()].filter(
    (pid) => isBelow(pid) && read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').includes(text),
  );
}

/** A process may end while it is looked at. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
