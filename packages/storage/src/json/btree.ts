import { createRequire } from 'node:module';
import type sortedBtree from 'sorted-btree';
import type { bulkLoad as BulkLoad } from 'sorted-btree/extended/bulkLoad.js';

// A CommonJS module whose class is its `default` member: what an `import` of it gives depends on who
// loads it (Node, a test runner, a bundler); `require` always gives the same.
const require = createRequire(import.meta.url);
const { default: BTree }: typeof sortedBtree = require('sorted-btree');
const { bulkLoad }: { bulkLoad: typeof BulkLoad } = require('sorted-btree/extended/bulkLoad');

/** A copy-on-write B+ tree. */
export type Tree<K, V> = InstanceType<typeof sortedBtree.default<K, V>>;

const NODE_SIZE = 32;

export const emptyTree = <K, V>(compare: (a: K, b: K) => number): Tree<K, V> =>
  new BTree<K, V>([], compare, NODE_SIZE);

/** A tree of sorted keys, made at once. */
export const treeOf = <K, V>(keys: K[], values: V[], compare: (a: K, b: K) => number): Tree<K, V> =>
  bulkLoad<K, V>(keys, values, NODE_SIZE, compare);
