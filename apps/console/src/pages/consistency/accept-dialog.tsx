import { send } from '../../api/client.ts';
import { counted } from '../../format.ts';
import { ActDialog } from '../../parts/act-dialog.tsx';

const asItIs = (number: number): string => (number === 1 ? 'it is' : 'they are');

/** Ends differences without touching a store. */
export function AcceptDialog({
  ids,
  close,
  done,
}: {
  ids: readonly number[];
  close: () => void;
  done: () => void;
}) {
  return (
    <ActDialog
      title={`Accept ${counted(ids.length, 'difference')} as ${asItIs(ids.length)}`}
      verb="Accept"
      confirmation={ids.length > 1 ? `accept ${ids.length}` : undefined}
      close={close}
      act={async (reason) => {
        const { changed } = await send<{ changed: number }>('POST', '/divergences/accept', {
          ...{ ids, reason },
        });
        done();
        return `${counted(changed, 'difference')} ended as ${asItIs(changed)}.`;
      }}
    >
      <p>
        Both stores stay as they are. While they differ, the next comparison lists the records anew.
      </p>
    </ActDialog>
  );
}
