import type { RkllmErrorCode } from '../../../errors.js';
import { formatLogLine, type RuntimeLogLine } from '../runtime-log/line.js';
import { boardLines } from './board-lines.js';
import type { Circumstances, DiagnosedPhase, KnownLine, Weight } from './known-line.js';
import { modelLines, newerModel, otherPlatform } from './model-lines.js';
import { runLines } from './run-lines.js';
import { factsIn, isModelNewer, lastAttempt, type RuntimeFacts } from './runtime-facts.js';

/** Every line of the runtime that is understood. `docs/runtime.md` lists them. */
export const knownLines: readonly KnownLine[] = [...modelLines, ...boardLines, ...runLines];

/** What the caller knows already. */
export interface DiagnosisContext {
  readonly phase: DiagnosedPhase;
  /** What an earlier load said, or the model's file (`toolkitVersion`); what the lines say counts more. */
  readonly facts?: RuntimeFacts | undefined;
  readonly installedDriver?: Circumstances['installedDriver'];
}

/** Why something failed, as far as the runtime's lines tell; the makings of an `RkllmError`. */
export interface Diagnosis {
  readonly code: RkllmErrorCode;
  /** What was found, as a full sentence. */
  readonly summary: string;
  /** The next step, as full sentences. */
  readonly hint: string;
  /** Figures and names from the lines, and in `runtimeLine` the line itself; without what is not known. */
  readonly details: Readonly<Record<string, unknown>>;
}

const ranks: Readonly<Record<Exclude<Weight, 'warning'>, number>> = { cause: 3, symptom: 2, death: 1, consequence: 0 };

/**
 * Says why a load or a run failed: by the line that explains most, of several such by the last, and only by those of the
 * last load. Give it the lines since what failed began; a failure of a run before would be taken for this one's.
 *
 * @returns undefined when no line says anything.
 */
export function diagnose(lines: readonly RuntimeLogLine[], context: DiagnosisContext): Diagnosis | undefined {
  const attempt = lastAttempt(lines);
  const circumstances = circumstancesOf(attempt, context);
  let best: Finding | undefined;
  for (const finding of findingsIn(attempt)) {
    if (finding.known.weight === 'warning') continue;
    if (best === undefined || rankOf(finding) >= rankOf(best)) best = finding;
  }
  if (context.phase === 'load' && (best === undefined || rankOf(best) <= ranks.death)) {
    const silent = misfit(circumstances.facts);
    if (silent !== undefined) return best === undefined ? silent : withLine(silent, best.line);
  }
  return best && explain(best, circumstances);
}

/** What the runtime has warned of, each warning once; the load or run may have worked all the same. */
export function warningsIn(lines: readonly RuntimeLogLine[], context: DiagnosisContext): readonly Diagnosis[] {
  const attempt = lastAttempt(lines);
  const circumstances = circumstancesOf(attempt, context);
  const findings = findingsIn(attempt).filter(({ known }) => known.weight === 'warning');
  const once = new Map(findings.map((finding) => [finding.known, finding]));
  return [...once.values()].map((finding) => explain(finding, circumstances));
}

/**
 * Whether the last load has failed although `rkllm_init` returned 0, as it does on 1.1.x: using such a handle ends the
 * process.
 */
export function initFailedSilently(lines: readonly RuntimeLogLine[]): boolean {
  return findingsIn(lastAttempt(lines)).some(({ known }) => known.initFailed === true);
}

/** Whether a run has failed although `rkllm_run` returned 0. */
export function runFailedSilently(lines: readonly RuntimeLogLine[]): boolean {
  return findingsIn(lines).some(({ known }) => known.runFailed === true);
}

interface Finding {
  readonly known: KnownLine;
  readonly line: RuntimeLogLine;
  readonly groups: Readonly<Record<string, string | undefined>>;
}

/** At most one for each line: that of the most telling entry that fits. */
function findingsIn(lines: readonly RuntimeLogLine[]): readonly Finding[] {
  return lines.flatMap((line) => {
    const fitting = knownLines.flatMap((known) => {
      const match = known.pattern.exec(line.text);
      return match === null ? [] : [{ known, line, groups: match.groups ?? {} }];
    });
    return fitting.sort((one, other) => rankOf(other) - rankOf(one)).slice(0, 1);
  });
}

function rankOf({ known: { weight } }: Finding): number {
  return weight === 'warning' ? -1 : ranks[weight];
}

function circumstancesOf(attempt: readonly RuntimeLogLine[], context: DiagnosisContext): Circumstances {
  const { phase, facts, installedDriver } = context;
  return { phase, facts: { ...facts, ...factsIn(attempt) }, installedDriver };
}

function explain({ known, line, groups }: Finding, circumstances: Circumstances): Diagnosis {
  return withLine({ code: known.code, details: {}, ...known.explain(groups, circumstances) }, line);
}

function withLine(diagnosis: Diagnosis, line: RuntimeLogLine): Diagnosis {
  const known = Object.entries(diagnosis.details).filter(([, value]) => value !== undefined);
  return { ...diagnosis, details: { ...Object.fromEntries(known), runtimeLine: formatLogLine(line) } };
}

/** A model that by the runtime's own words does not fit, though it does not say that this is why. */
function misfit(facts: RuntimeFacts): Diagnosis | undefined {
  const { platform, targetPlatform } = facts;
  const code = 'RKLLM_MODEL_INCOMPATIBLE';
  const differs = platform !== undefined && targetPlatform !== undefined && platform !== targetPlatform;
  if (differs) return { code, details: {}, ...otherPlatform(facts) };
  if (isModelNewer(facts) === true) return { code, details: {}, ...newerModel(facts) };
  return undefined;
}
