import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareUtf8 } from './key-table.ts';
import { LegacyLayout } from './legacy-layout.ts';
import { checkLine, LineWriter } from './line-codec.ts';

function indentJson(text: string, depth: number): string {
  const layout = new LegacyLayout();
  layout.addValue(text, depth);
  return layout.take().toString();
}

test('I7: the layout is that of JSON.stringify with two spaces, at any depth', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(indentJson(JSON.stringify(value), 0)).toBe(JSON.stringify(value, undefined, 2));
      const inside = JSON.stringify([value], undefined, 2);
      expect(`[\n  ${indentJson(JSON.stringify(value), 1)}\n]`).toBe(inside);
    }),
  );
});

test('I8: the layout keeps every number and string as it is spelled', () => {
  const text = '{"a":1.50,"b":-0.0,"c":12345678901234567890,"d":"\\"{,:}[]\\\\","e":1E+2}';
  expect(
    indentJson(text, 0)
      .replaceAll(/\n +|\n/g, '')
      .replaceAll('": ', '":'),
  ).toBe(text);
});

test('keys are ordered as the bytes of their UTF-8', () => {
  const unit = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(unit, unit, (a, b) => {
      const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
      expect(Math.sign(compareUtf8(a, b))).toBe(bytes);
    }),
  );
});

test('I12: any changed byte of a line is seen', () => {
  const payload = fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify({ text }));
  const bit = fc.integer({ min: 0, max: 7 });
  fc.assert(
    fc.property(payload, fc.nat(0xffff_ffff), fc.nat(), bit, (text, seed, place, flip) => {
      const lines = new LineWriter(seed);
      lines.add(text);
      const bytes = lines.take();
      expect(checkLine(bytes, 0, seed)).toMatchObject({ checksum: lines.checksum });
      expect(checkLine(bytes, 0, (seed ^ 1) >>> 0)).not.toHaveProperty('checksum');
      const at = place % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ (1 << flip);
      expect(checkLine(bytes, 0, seed)).not.toHaveProperty('checksum');
    }),
  );
});
