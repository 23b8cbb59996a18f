import { readConfiguration } from '@tandem/storage/configuration';
import { expect, test } from 'vitest';
import { banner } from './banner.ts';

test('the operators’ token stands in the console’s address on a terminal, and nowhere else', () => {
  const configuration = readConfiguration({ HOST: '0.0.0.0', PORT: '8123' });
  const known = { migrated: true, operatorToken: 'a/token+of#16characters' };
  expect(banner(configuration, known)).toContain(
    '  Console   http://127.0.0.1:8123/console#token=a%2Ftoken%2Bof%2316characters\n',
  );
  const unknown = { migrated: true, operatorToken: undefined };
  expect(banner(configuration, unknown)).toContain('http://127.0.0.1:8123/console\n');
});
