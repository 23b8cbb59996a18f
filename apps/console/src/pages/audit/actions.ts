/** What can be done, as a list has it. A word that is not here is shown as it is. */
export const ACTIONS: Readonly<Record<string, string>> = {
  'ask-for-phase': 'A phase was asked for',
  'take-back-phase': 'A phase was taken back',
  'move-phase': 'The phase moved',
  'keep-phase': 'The stores took note of each other',
  verify: 'The stores were compared',
  repair: 'A repair, or a choice',
  backfill: 'A backfill',
  'withdraw-order': 'An order was withdrawn',
  'accept-divergences': 'Differences were accepted',
  'set-divergence-budget': 'Differences were allowed',
  'redrive-dead-letters': 'Failed jobs were put back',
  'discard-dead-letters': 'Failed jobs were given up',
  'adopt-external-edit': 'An edit was adopted',
  'reject-external-edit': 'An edit was rejected',
};
