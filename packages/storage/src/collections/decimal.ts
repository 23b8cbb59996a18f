/** Digits a decimal field may have before and after its point (`numeric(10,2)`). */
const DECIMAL_INTEGER_DIGITS_MAX = 8;
const DECIMAL_FRACTION_DIGITS_MAX = 2;
/** Longer spellings are refused before they are looked at: `1e999999999` must not be expanded. */
const SPELLING_LENGTH_MAX = 64;

const SPELLING = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;

/**
 * The canonical spelling of a decimal: exact, without leading or trailing zeros, `0` for any zero.
 * Works on digits alone, so nothing passes through a binary float (I8).
 *
 * @param spelling a JSON number's source text, or a numeric string (`"150.50"`, `"1e2"`)
 * @returns e.g. `150.5`, or `undefined` when it is no decimal or does not fit 8 and 2 digits
 */
export function canonicalDecimal(spelling: string): string | undefined {
  if (spelling.length > SPELLING_LENGTH_MAX) return undefined;
  const match = SPELLING.exec(spelling);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = whole + fraction;
  const significant = digits.replace(/^0+/, '').replace(/0+$/, '');
  if (significant === '') return '0';
  // The point stands `point` digits after the first of `digits`; leading zeros move it left.
  const leading = digits.length - digits.replace(/^0+/, '').length;
  const point = whole.length + Number(exponent) - leading;
  const integerDigits = Math.max(point, 0);
  const fractionDigits = Math.max(significant.length - point, 0);
  if (integerDigits > DECIMAL_INTEGER_DIGITS_MAX) return undefined;
  if (fractionDigits > DECIMAL_FRACTION_DIGITS_MAX) return undefined;
  const integer = point > 0 ? significant.slice(0, point).padEnd(point, '0') : '0';
  const rest = point > 0 ? significant.slice(point) : '0'.repeat(-point) + significant;
  return `${sign === '-' ? '-' : ''}${integer}${rest === '' ? '' : `.${rest}`}`;
}
