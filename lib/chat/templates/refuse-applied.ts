import { RkllmError } from '../../errors.js';
import { families } from './families.js';
import { templateOf } from './family.js';
import type { ChatTemplate } from './template.js';

const builtIn = families.map((family) => templateOf(family));

/**
 * Refuses a text that is a whole prompt already, in this template or another one: a second template around it would show
 * the model control tokens that have been taken apart, or two answers to begin.
 *
 * @param template - that is about to be put around it; undefined: the runtime's.
 * @throws RkllmError `RKLLM_TEMPLATE_TWICE`.
 */
export function refuseApplied(text: string, template?: ChatTemplate): void {
  const applied = [...(template === undefined ? [] : [template]), ...builtIn].find((one) => one.isApplied(text));
  if (applied === undefined) return;
  const around =
    template === undefined ? "that of the runtime (template: 'runtime')" : `that of this model, ${template.name}`;
  throw new RkllmError(
    'RKLLM_TEMPLATE_TWICE',
    `A chat template (${applied.name}) has been applied to this text already, and another, ${around}, would be put around it.`,
    {
      hint:
        template === undefined
          ? "Pass the user's words alone, or load the model with template: 'none' and keep applying the template yourself."
          : 'Pass the messages without a template, or the whole prompt as { prompt }, which is used as it is.',
      details: { applied: applied.name, model: template?.name },
    },
  );
}
