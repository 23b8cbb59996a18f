import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalDecimal } from './decimal.ts';

test.each([
  ['150.50', '150.5'],
  ['100.0', '100'],
  ['-0', '0'],
  ['-0.00', '0'],
  ['007.5', '7.5'],
  ['1e2', '100'],
  ['1.5E+1', '15'],
  ['25e-2', '0.25'],
  ['-12.34', '-12.34'],
  ['99999999.99', '99999999.99'],
  ['0.01', '0.01'],
  ['12.', '12'],
])('I8: %s is written %s', (spelling, canonical) => {
  expect(canonicalDecimal(spelling)).toBe(canonical);
});

test.each([
  '0.001',
  '0.1000000000000000055',
  '100000000',
  '1e8',
  '1e-3',
  '1e999',
  '',
  '-',
  '.5',
  '1,5',
  '0x10',
  'NaN',
  'Infinity',
  '1e9999999999',
  '9'.repeat(65),
])('%s is refused, never rounded', (spelling) => {
  expect(canonicalDecimal(spelling)).toBeUndefined();
});

test('I8: every value of numeric(10,2) has one canonical spelling, whatever its zeros and point', () => {
  const cents = fc.bigInt({ min: -9_999_999_999n, max: 9_999_999_999n });
  fc.assert(
    fc.property(cents, fc.nat(3), fc.nat(4), (value, leading, trailing) => {
      const digits = (value < 0n ? -value : value).toString().padStart(3, '0');
      const sign = value < 0n ? '-' : '';
      const plain = `${digits.slice(0, -2)}.${digits.slice(-2)}`;
      const spelled = `${sign}${'0'.repeat(leading)}${plain}${'0'.repeat(trailing)}`;
      const canonical = canonicalDecimal(spelled) as string;
      expect(canonicalDecimal(`${sign}${digits}e-2`)).toBe(canonical);
      expect(canonicalDecimal(canonical)).toBe(canonical);
      expect(canonical).not.toMatch(/\.\d*0$|^-?0\d|^-0$|\.$/);
      const [whole = '', fraction = ''] = canonical.replace('-', '').split('.');
      const back = BigInt(whole + fraction.padEnd(2, '0'));
      expect(canonical.startsWith('-') ? -back : back).toBe(value);
    }),
  );
});
