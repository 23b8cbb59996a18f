// One system, in which the tests follow each other: what one leaves behind the next may find.
import { accessibilityTests } from './console/accessibility.ts';
import { auditPageTests } from './console/audit-page.ts';
import { consistencyPageTests } from './console/consistency-page.ts';
import { failedJobsPageTests } from './console/failed-jobs-page.ts';
import { outageTests } from './console/outages.ts';
import { phasePageTests } from './console/phase-page.ts';
import { recordsPageTests } from './console/records-page.ts';
import { replicationPageTests } from './console/replication-page.ts';
import { signInTests } from './console/sign-in.ts';
import { setTheStage } from './console/stage.ts';
import { weightTests } from './console/weight.ts';

const stage = setTheStage();

weightTests();
signInTests(stage);
phasePageTests(stage);
replicationPageTests(stage);
failedJobsPageTests(stage);
consistencyPageTests(stage);
recordsPageTests(stage);
auditPageTests(stage);
accessibilityTests(stage);
outageTests(stage);
