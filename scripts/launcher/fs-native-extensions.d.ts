declare module 'fs-native-extensions' {
  /** Requests a kernel lock on an open file; false when another file description holds it. */
  export function tryLock(fd: number): boolean;
}
