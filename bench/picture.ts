// The table as a picture: each bar's measured ratio on a logarithmic scale around its limit.
import { isMet, type Result } from './result.ts';

const ROW_PIXELS = 26;
const NAME_PIXELS = 560;
const SCALE_PIXELS = 360;
const TOP_PIXELS = 46;
/** A ratio to its limit beyond this, either way, ends at the edge. */
const EDGE = 16;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** How far into the right direction a value is, as a multiple of its limit; 1 is just met. */
const merit = ({ relation, limit }: Result, value: number): number =>
  relation === '≤' ? limit / Math.max(value, limit / EDGE / 2) : value / limit;

/** Pixels on the scale: the limit is in the middle. */
function place(value: number): number {
  const bounded = Math.min(EDGE, Math.max(1 / EDGE, value));
  return NAME_PIXELS + SCALE_PIXELS * (0.5 + Math.log(bounded) / Math.log(EDGE) / 2);
}

/** An SVG of all results: right of the middle line a bar is met. */
export function pictureOf(results: readonly Result[]): string {
  const width = NAME_PIXELS + SCALE_PIXELS + 150;
  const height = TOP_PIXELS + results.length * ROW_PIXELS + 12;
  const middle = place(1);
  const rows = results.map((one, at) => {
    const y = TOP_PIXELS + at * ROW_PIXELS;
    const { median, low, high } = one.measured;
    const [from, to] = [place(merit(one, low)), place(merit(one, high))].sort((a, b) => a - b);
    const colour = isMet(one) ? '#1a7f37' : '#bc4c00';
    const said = `${median.toPrecision(3)}${one.unit} (${one.relation} ${one.limit}${one.unit})`;
    return [
      `<text x="${NAME_PIXELS - 12}" y="${y + 4}" text-anchor="end">${escaped(one.bar)}</text>`,
      `<line x1="${from}" x2="${to}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="4" opacity="0.35"/>`,
      `<circle cx="${place(merit(one, median))}" cy="${y}" r="5" fill="${colour}"/>`,
      `<text x="${NAME_PIXELS + SCALE_PIXELS + 10}" y="${y + 4}">${escaped(said)}</text>`,
    ].join('\n');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">
<title>Each bar, and how far what was measured is from its limit</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text x="${middle}" y="18" text-anchor="middle" font-weight="600">the limit</text>
<text x="${NAME_PIXELS}" y="18">missed</text>
<text x="${NAME_PIXELS + SCALE_PIXELS}" y="18" text-anchor="end">met</text>
<line x1="${middle}" x2="${middle}" y1="26" y2="${height - 8}" stroke="#57606a" stroke-dasharray="4 3"/>
${rows.join('\n')}
</svg>
`;
}
