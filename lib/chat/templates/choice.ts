/** Names of the built-in templates, in the order in which they are listed. */
export const familyNames = [
  'phi3',
  'chatml',
  'qwen2',
  'qwen2.5',
  'qwen3',
  'llama3',
  'llama3.1',
  'gemma',
  'deepseek',
  'minicpm',
  'internlm2',
  'zephyr',
] as const;

/** Name of a built-in template. */
export type FamilyName = (typeof familyNames)[number];

/** A Jinja template of your own: its text, or the path of a file that holds it (or a tokenizer's configuration). */
export type OwnTemplate =
  | {
      /** Its text. */
      readonly jinja: string;
    }
  | {
      /** A path; a relative one starts at the current directory. */
      readonly file: string;
    };

/** Whose template a model is asked in. */
export type TemplateChoice = 'auto' | 'none' | 'runtime' | FamilyName | OwnTemplate;

/** What the option `template` takes by name. */
export const templateNames: readonly string[] = ['auto', ...familyNames, 'none', 'runtime'];

export function isTemplateChoice(value: unknown): value is TemplateChoice {
  if (typeof value === 'string') return templateNames.includes(value);
  if (typeof value !== 'object' || value === null) return false;
  const [entry, ...more] = Object.entries(value);
  if (entry === undefined || more.length > 0) return false;
  const [key, text] = entry as [string, unknown];
  return (key === 'jinja' || key === 'file') && typeof text === 'string' && text !== '';
}
