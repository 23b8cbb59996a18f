import { hostname, userInfo } from 'node:os';

/** Who runs the command, for logs that keep who did what. */
export const operatorName = (): string => `${userInfo().username}@${hostname()}`;
