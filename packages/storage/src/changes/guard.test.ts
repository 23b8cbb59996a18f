import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judge, type StoredState } from './guard.ts';
import type { Stamp } from './stamp.ts';

interface Link extends Stamp {
  readonly base: Stamp | null;
  readonly record: string | null;
}

/** A chain of changes of one record: versions count up, epochs never fall, the last may delete. */
const chain = fc
  .array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 8 })
  .map((epochSteps): Link[] => {
    const links: Link[] = [];
    let epoch = 1;
    for (const [index, step] of epochSteps.entries()) {
      epoch += step;
      const previous = links.at(-1);
      links.push({
        epoch,
        version: index + 1,
        base: previous ? { epoch: previous.epoch, version: previous.version } : null,
        record: `{"n":${index}}`,
      });
    }
    return links;
  });

const stateOf = ({ epoch, version, record }: Link): StoredState => ({
  epoch,
  version,
  text: record,
});

describe('I4: the version guard', () => {
  test('needs no order: any arrivals of one chain, repeated and with gaps, leave its newest', () => {
    const arrivals = chain.chain((links) =>
      fc.tuple(fc.constant(links), fc.array(fc.nat(links.length - 1), { minLength: 1 })),
    );
    fc.assert(
      fc.property(arrivals, ([links, order]) => {
        let stored: StoredState | undefined;
        for (const index of order) {
          const link = links[index] as Link;
          const verdict = judge(link, stored);
          expect(['apply', 'no-op']).toContain(verdict);
          if (verdict === 'apply') stored = stateOf(link);
        }
        expect(stored).toEqual(stateOf(links[Math.max(...order)] as Link));
      }),
    );
  });

  test('never overwrites the other branch of a fork, whichever branch arrives first', () => {
    const fork = fc.tuple(chain, chain, fc.nat()).map(([trunk, branch, cut]) => {
      const at = trunk[cut % trunk.length] as Link;
      const grafted: Link[] = [];
      for (const link of branch) {
        const previous = grafted.at(-1) ?? at;
        grafted.push({
          epoch: at.epoch + link.epoch,
          version: previous.version + 1,
          base: { epoch: previous.epoch, version: previous.version },
          record: `branch ${link.record}`,
        });
      }
      return { trunk, grafted, cut: cut % trunk.length };
    });
    fc.assert(
      fc.property(fork, ({ trunk, grafted, cut }) => {
        const beyond = trunk.slice(cut + 1);
        for (const ours of beyond) {
          const theirs = grafted[0] as Link;
          expect(judge(theirs, stateOf(ours))).not.toBe('apply');
        }
        for (const theirs of grafted) {
          const ours = beyond[0];
          if (ours !== undefined) expect(judge(ours, stateOf(theirs))).not.toBe('apply');
        }
      }),
    );
  });

  const at = (epoch: number, version: number): Stamp => ({ epoch, version });

  test.each([
    ['newer, computed from it', at(2, 4), at(2, 3), at(2, 3), 'apply'],
    ['newer, with a gap', at(3, 6), at(3, 5), at(2, 3), 'apply'],
    ['older', at(2, 3), at(2, 2), at(2, 4), 'no-op'],
    ['of an older epoch, though of a higher version', at(1, 6), at(1, 5), at(2, 3), 'no-op'],
    ['of a newer epoch after as many changes', at(3, 4), at(3, 3), at(2, 5), 'fork'],
    ['computed from what the stored state is beyond', at(2, 4), at(2, 2), at(2, 3), 'fork'],
    ['a creation over a stored state', at(3, 5), null, at(2, 3), 'fork'],
  ] as const)('%s', (_, stamp, base, stored, verdict) => {
    const incoming = { ...stamp, base, record: '{"n":1}' };
    expect(judge(incoming, { ...stored, text: '{"n":0}' })).toBe(verdict);
  });

  test('tells the same stamp with other content apart', () => {
    const stored: StoredState = { epoch: 2, version: 3, text: '{"n":1}' };
    const base = { epoch: 2, version: 2 };
    expect(judge({ epoch: 2, version: 3, base, record: '{"n":1}' }, stored)).toBe('no-op');
    expect(judge({ epoch: 2, version: 3, base, record: '{"n":2}' }, stored)).toBe('conflict');
    expect(judge({ epoch: 2, version: 3, base, record: null }, stored)).toBe('conflict');
  });
});
