/** Where the swept store lies on its simulated disk. */
export const DIRECTORY = '/data/json';
