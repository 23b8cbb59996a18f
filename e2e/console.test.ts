// One system, in which the tests follow each other: what one leaves behind the next may find.
import { accessibilityTests } from './console/accessibility.ts';
import { outageTests } from './console/outages.ts';
import { phasePageTests } from './console/phase-page.ts';
import { replicationPageTests } from './console/replication-page.ts';
import { signInTests } from './console/sign-in.ts';
import { setTheStage } from './console/stage.ts';
import { weightTests } from './console/weight.ts';

const stage = setTheStage();

weightTests();
signInTests(stage);
phasePageTests(stage);
replicationPageTests(stage);
accessibilityTests(stage);
outageTests(stage);
