import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkLine, LineWriter } from './line-codec.ts';
import { decodeEntry, encodeEntry } from './state-entry.ts';

const decode = (payload: string) => {
  const bytes = Buffer.from(`..${payload}..`);
  return decodeEntry(bytes, 2, bytes.length - 2);
};

describe('entries of a state file', () => {
  test('I8: an entry is read back as it was written, its text byte for byte', () => {
    const count = fc.nat(Number.MAX_SAFE_INTEGER);
    const text = fc.option(
      fc
        .string({ unit: 'grapheme' })
        .map((notes) => `{"notes":${JSON.stringify(notes)},"id":1.50}`),
    );
    fc.assert(
      fc.property(count, count, count, fc.boolean(), text, (id, epoch, version, misfit, record) => {
        const lines = new LineWriter(0);
        lines.add(encodeEntry({ id, epoch, version }, misfit), record ?? 'null');
        const line = lines.take();
        const written = checkLine(line, 0, 0) as { from: number; to: number };
        expect(decodeEntry(line, written.from, written.to)).toEqual({
          id,
          epoch,
          version,
          misfit,
          text: record,
        });
        const members = { id, epoch, version, ...(misfit ? { misfit: true } : {}), record: null };
        expect(`${encodeEntry({ id, epoch, version }, misfit)}null}`).toBe(JSON.stringify(members));
      }),
    );
  });

  test.each([
    '',
    '{}',
    '{"kind":"keys","entries":1}',
    '{"key":"k","fingerprint":"f","outcome":"{}","at":"2025-12-07T10:00:00.000Z"}',
    '{"id":,"epoch":1,"version":1,"record":{}}',
    '{"id":-1,"epoch":1,"version":1,"record":{}}',
    '{"id":1e3,"epoch":1,"version":1,"record":{}}',
    '{"id":99999999999999999,"epoch":1,"version":1,"record":{}}',
    '{"id":1,"epoch":1,"version":1,"record":{}',
    '{"id":1,"epoch":1,"version":1,"record":}',
    '{"id":1,"epoch":1,"version":1',
    '{"id":1,"version":1,"epoch":1,"record":{}}',
  ])('%j is no entry', (payload) => {
    const read = decode(payload);
    // A record cut short is told by the line's length and checksum, not here.
    if (read !== undefined) expect(read.text).toBe('{');
  });
});
