import { parser } from '@prometheus-io/lezer-promql';

/** What one selector of an expression asks for. */
export interface Selector {
  readonly series: string;
  readonly labels: readonly string[];
}

/**
 * The selectors of a PromQL expression. Labels a result is grouped by count to every selector.
 * @throws {Error} when it is none
 */
export function selectorsOf(expression: string): readonly Selector[] {
  const selectors: { series: string; labels: string[] }[] = [];
  const grouping: string[] = [];
  const stack: string[] = [];
  const text = (node: { from: number; to: number }) => expression.slice(node.from, node.to);
  parser.parse(expression).iterate({
    enter(node) {
      if (node.type.isError) throw new Error(`Not PromQL at ${node.from}: ${expression}`);
      const parent = stack.at(-1);
      if (node.name === 'VectorSelector') selectors.push({ series: '', labels: [] });
      const selector = selectors.at(-1);
      if (node.name === 'Identifier' && parent === 'VectorSelector' && selector !== undefined) {
        selector.series = text(node);
      }
      if (node.name === 'LabelName') {
        if (parent === 'GroupingLabels') grouping.push(text(node));
        else selector?.labels.push(text(node));
      }
      stack.push(node.name);
    },
    leave() {
      stack.pop();
    },
  });
  if (selectors.length === 0) throw new Error(`It asks for nothing: ${expression}`);
  return selectors.map(({ series, labels }) => ({ series, labels: [...labels, ...grouping] }));
}
