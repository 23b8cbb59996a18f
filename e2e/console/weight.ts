import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../tandem-process.ts';

/** Bytes of the whole page as it travels. */
const PAGE_BYTES_MAX = 75_000;

export function weightTests(): void {
  test('the whole page is under 75 KB gzipped', () => {
    const dist = join(root, 'apps', 'console', 'dist');
    const files = readdirSync(dist, { recursive: true, encoding: 'utf8' });
    const packed = files.filter((file) => file.endsWith('.gz'));
    expect(packed.length).toBeGreaterThanOrEqual(3);
    const bytes = packed.reduce((sum, file) => sum + statSync(join(dist, file)).size, 0);
    expect(bytes).toBeLessThan(PAGE_BYTES_MAX);
  });
}
