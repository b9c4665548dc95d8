import path from 'node:path';
import type { BackendModelInfo } from '../../backends/model-info.js';
import { readTokenizerConfig, templateIn, tokensIn } from '../../backends/chat-files.js';
import { readJsonFile, readTextFile } from '../../backends/json-file.js';
import { RkllmError } from '../../errors.js';
import { familyNames, type OwnTemplate, type TemplateChoice } from './choice.js';
import { families, familyOf } from './families.js';
import { templateOf, type Family } from './family.js';
import { JinjaTemplate } from './jinja.js';
import { isPhi3, phi3 } from './phi3.js';
import type { ChatTemplate } from './template.js';

/** Which chat template a model is asked in, and why that one. */
export interface TemplateInfo {
  /** Name of a built-in template, or `'jinja'`. */
  readonly name: string;
  /** `'option'`: it was chosen. `'model'`: it came with the model. `'name'`: the model's name speaks of it. */
  readonly source: 'option' | 'model' | 'name';
  /** The file that it was read from, if it was. */
  readonly file: string | undefined;
}

/** What is known of a model before its first prompt. */
export type TemplateEvidence = Omit<BackendModelInfo, 'contextLength' | 'quantization' | 'runtime'> & {
  readonly path: string | undefined;
};

/** A template that was found, or what was looked at in vain. */
export type FoundTemplate =
  | { readonly template: ChatTemplate; readonly info: TemplateInfo }
  | { readonly template: undefined; readonly lookedAt: string };

/**
 * Finds the chat template of a model. There is no default: a wrong template gives bad answers without any error.
 *
 * @throws RkllmError `RKLLM_TEMPLATE_FAILED`.
 */
export async function findTemplate(
  choice: Exclude<TemplateChoice, 'none' | 'runtime'>,
  evidence: TemplateEvidence,
): Promise<FoundTemplate> {
  if (typeof choice === 'object') return ownTemplate(choice, evidence);
  if (choice !== 'auto') return builtIn(familyNamed(choice), 'option', undefined, evidence);
  const { chatTemplate, chatTemplateFile: file, addsBosToken = false } = evidence;
  if (chatTemplate === undefined) return templateByName(evidence);
  if (isPhi3(chatTemplate)) return builtIn(phi3, 'model', file, { addsBosToken });
  const template = jinjaTemplate(chatTemplate, file ?? 'that of the model', evidence);
  return { template, info: { name: template.name, source: 'model', file } };
}

/**
 * Tries a template of one's own without its model, which takes long to load.
 *
 * @throws RkllmError `RKLLM_TEMPLATE_FAILED`.
 */
export async function tryTemplate(choice: OwnTemplate): Promise<void> {
  const unknown = { name: '', path: undefined, chatTemplate: undefined, bosToken: '', eosToken: '' };
  await ownTemplate(choice, unknown);
}

async function ownTemplate(choice: OwnTemplate, evidence: TemplateEvidence): Promise<FoundTemplate> {
  const file = 'file' in choice ? path.resolve(choice.file) : undefined;
  const { source, tokens } = 'file' in choice ? await readTemplate(path.resolve(choice.file)) : own(choice.jinja);
  const { bosToken = tokens.bosToken, eosToken = tokens.eosToken, controlTokens = tokens.controlTokens } = evidence;
  const known = { ...evidence, bosToken, eosToken, ...(controlTokens && { controlTokens }) };
  const template = jinjaTemplate(source, file ?? 'the option template', known);
  return { template, info: { name: template.name, source: 'option', file } };
}

interface ReadTemplate {
  readonly source: string;
  /** For a model whose tokenizer is not known. */
  readonly tokens: ReturnType<typeof tokensIn>;
}

function own(source: string): ReadTemplate {
  return { source, tokens: tokensIn(undefined) };
}

/** A file that ends in `.json` is a tokenizer's configuration; a Jinja file may have it beside it. */
async function readTemplate(file: string): Promise<ReadTemplate> {
  const code = 'RKLLM_TEMPLATE_FAILED';
  const isConfig = file.endsWith('.json');
  const config = isConfig ? await readJsonFile(file, code) : await readTokenizerConfig(path.dirname(file), code);
  const source = isConfig ? templateIn(config) : await readTextFile(file, code);
  if (source !== undefined) return { source, tokens: tokensIn(config) };
  throw new RkllmError(code, `There is no chat template in ${file}.`, {
    hint: 'Give template: { file } the path of a Jinja template or of a tokenizer_config.json with chat_template.',
    details: { file },
  });
}

function jinjaTemplate(
  source: string,
  origin: string,
  { bosToken, eosToken, controlTokens = [], addsBosToken = false }: TemplateEvidence,
): JinjaTemplate {
  return new JinjaTemplate({ source, origin, bosToken, eosToken, controlTokens, addsBos: addsBosToken });
}

function templateByName(evidence: TemplateEvidence): FoundTemplate {
  const { name, controlTokens } = evidence;
  const family = familyOf(evidence.path ?? name) ?? familyOf(name);
  const noFile = 'no chat_template.jinja, tokenizer_config.json or chat_template.json of its own';
  if (family === undefined) {
    return { template: undefined, lookedAt: `it has ${noFile}, and its name, ${name}, speaks of no known family` };
  }
  if (controlTokens !== undefined && !controlTokens.includes(family.turnEnd)) {
    const lookedAt = `it has ${noFile}; its name, ${name}, speaks of ${family.name}, but its tokenizer has no ${family.turnEnd}`;
    return { template: undefined, lookedAt };
  }
  return builtIn(family, 'name', undefined, evidence);
}

function builtIn(
  family: Family,
  source: TemplateInfo['source'],
  file: string | undefined,
  { addsBosToken }: Pick<TemplateEvidence, 'addsBosToken'>,
): FoundTemplate {
  return { template: templateOf(family, addsBosToken), info: { name: family.name, source, file } };
}

function familyNamed(name: string): Family {
  const family = families.find((candidate) => candidate.name === name);
  if (family === undefined) throw new TypeError(`no template is called ${name}`); // the option has been checked
  return family;
}

/** Refuses what can only be asked in a template. */
export function templateUnknown(lookedAt: string): RkllmError {
  const list = familyNames.map((name) => `'${name}'`).join(', ');
  return new RkllmError('RKLLM_TEMPLATE_UNKNOWN', `No chat template is known for this model: ${lookedAt}.`, {
    hint:
      `Load it with { template } of its family (${list}), with { template: { file: 'PATH' } } and the chat_template.jinja ` +
      'or tokenizer_config.json it was published with, or apply its template yourself and pass { prompt }.',
    details: { lookedAt, builtIn: familyNames },
  });
}
