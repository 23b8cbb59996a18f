import { hrefOf } from '../router.ts';

/** `expense 5`, leading to all that is known of it. */
export const RecordLink = ({ collection, id }: { collection: string; id: number }) => (
  <a class="record-link" href={hrefOf('records', [collection, id])}>
    {collection} {id}
  </a>
);

/** What a difference or a job is about: a record, or an idempotency key. */
export const SubjectLink = ({
  subject,
}: {
  subject: { readonly collection: string; readonly id: number } | { readonly key: string };
}) =>
  'key' in subject ? (
    <span>
      key <code>{subject.key}</code>
    </span>
  ) : (
    <RecordLink {...subject} />
  );
