/** What a process exposes: its metrics, and the labels seen with each. */
export interface Exposition {
  /** The label names of each series name; of a metric without a line yet, `undefined`. */
  readonly series: ReadonlyMap<string, ReadonlySet<string> | undefined>;
  /** The value of the first line whose name and labels match; `undefined` without one. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
}

const LINE = /^(?<name>[a-z_][a-z0-9_]*)(?:\{(?<labels>.*)\})? (?<value>\S+)$/i;
const LABEL = /(?<name>[a-z_]+)="(?<value>(?:[^"\\]|\\.)*)"/gi;
const PARTS: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};

/** Reads Prometheus text; throws at a line that is none. */
export function readExposition(text: string): Exposition {
  const series = new Map<string, Set<string> | undefined>();
  const lines: { name: string; labels: Record<string, string>; value: number }[] = [];
  for (const line of text.split('\n')) {
    const [, name = '', type = ''] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (name !== '') for (const part of PARTS[type] ?? ['']) series.set(name + part, undefined);
    if (line === '' || line.startsWith('#')) continue;
    const groups = LINE.exec(line)?.groups;
    if (groups === undefined) throw new Error(`This is no line of Prometheus text: ${line}`);
    const labels = Object.fromEntries(
      [...(groups.labels ?? '').matchAll(LABEL)].map(({ groups: one }) => [one?.name, one?.value]),
    ) as Record<string, string>;
    const sampled = groups.name as string;
    if (!series.has(sampled)) throw new Error(`${sampled} has no TYPE.`);
    series.set(sampled, new Set([...(series.get(sampled) ?? []), ...Object.keys(labels)]));
    lines.push({ name: sampled, labels, value: Number(groups.value) });
  }
  return {
    series,
    value: (wanted, labels = {}) =>
      lines.find(
        (line) =>
          line.name === wanted &&
          Object.entries(labels).every(([name, value]) => line.labels[name] === value),
      )?.value,
  };
}
