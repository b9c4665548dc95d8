/** Conversations through random sequences of everything that can be done with them, against a plain list of messages. */
import fc from 'fast-check';
import { isRkllmError, type ChatMessage, type ChatSession, type Model, type SavedChat } from 'rkllm';
import { phi3Template } from '../../lib/chat/templates/phi3.js';
import { scriptedModel } from '../support/models.js';
import { tries } from './runs.js';

type Partials = 'keep' | 'discard';

interface Said {
  chat: ChatSession;
  /** What `messages` should be. */
  messages: ChatMessage[];
  readonly partials: Partials;
}

const contents = fc.constantFrom('Hi', 'Why?', '<|end|>', 'two words', '🙂');
const chatIndex = fc.nat({ max: 7 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ act: fc.constant('send' as const), at: chatIndex, content: contents }) },
  fc.record({ act: fc.constantFrom('regenerate', 'fork', 'reset', 'restore', 'other'), at: chatIndex }),
  fc.record({
    act: fc.constantFrom('editLast', 'abort', 'signal', 'fail', 'refused'),
    at: chatIndex,
    content: contents,
  }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T & { readonly content?: string } : never;

/** The answer that the model gives to exactly this prompt. */
function answerTo(prompt: string): string {
  let hash = 7;
  for (const character of prompt) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003;
  return `A${String(hash)}`;
}

const user = (content: string): ChatMessage => ({ role: 'user', content });
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });

async function codeOf(act: () => PromiseLike<unknown>): Promise<string> {
  try {
    await act();
    return 'done';
  } catch (error) {
    return isRkllmError(error) ? error.code : String(error);
  }
}

/** Does it in reality and in the list. */
async function perform({ act, at, content = '' }: Step, said: Said[], model: Model): Promise<void> {
  const one = said[at % said.length];
  if (one === undefined) return;
  const { chat, messages, partials } = one;
  const answered = (asked: ChatMessage[]): ChatMessage[] => [...asked, assistant(answerTo(phi3Template.render(asked)))];
  const last = messages.map(({ role }) => role).lastIndexOf('user');
  switch (act) {
    case 'send':
      await chat.send(content);
      one.messages = answered([...messages, user(content)]);
      break;
    case 'regenerate':
      if (messages.at(-1)?.role !== 'assistant') {
        expect(await codeOf(async () => chat.regenerate())).toBe('RKLLM_INVALID_INPUT');
      } else if (last >= 0) {
        await chat.regenerate();
        one.messages = answered(messages.slice(0, -1));
      }
      break;
    case 'editLast':
      if (last < 0) expect(await codeOf(async () => chat.editLast(content))).toBe('RKLLM_INVALID_INPUT');
      else {
        await chat.editLast(content);
        one.messages = answered([...messages.slice(0, last), user(content)]);
      }
      break;
    case 'fork':
      said.push({ chat: chat.fork(), messages: [...messages], partials });
      break;
    case 'reset':
      chat.reset();
      one.messages = messages.filter(({ role }) => role === 'system');
      break;
    case 'restore':
      one.chat = model.chat({ from: JSON.parse(JSON.stringify(chat)) as SavedChat, partialAnswers: partials });
      break;
    case 'other':
      await model.generate({ prompt: 'Something else' });
      break;
    case 'abort': {
      const turn = chat.send(content);
      turn.abort();
      await turn;
      if (partials === 'keep') one.messages = [...messages, user(content), assistant('')];
      break;
    }
    case 'signal':
      expect(await codeOf(() => chat.send(content, { signal: AbortSignal.abort('stop') }))).toBe('stop');
      break;
    case 'fail':
      expect(await codeOf(() => chat.send(`${content} FAIL`))).toBe('RKLLM_RUN_FAILED');
      break;
    case 'refused': {
      const turn = chat.send(content);
      expect(await codeOf(async () => chat.send('Me, too'))).toBe('RKLLM_CHAT_BUSY');
      expect(() => chat.reset()).toThrow(expect.objectContaining({ code: 'RKLLM_CHAT_BUSY' }) as Error);
      await turn;
      one.messages = answered([...messages, user(content)]);
    }
  }
}

test('conversations stay what they should be, and each answer is that to the whole of its conversation', async () => {
  const model = await scriptedModel({
    contextLength: 1_000_000,
    reply: (prompt) => (prompt.endsWith('FAIL<|end|>\n<|assistant|>\n') ? { failAfterTokens: 0 } : answerTo(prompt)),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<Partials>('keep', 'discard'),
      fc.option(fc.constant('Be brief.'), { nil: undefined }),
      fc.array(step, { maxLength: 15 }),
      async (partials, system, steps) => {
        const opening: ChatMessage[] = system === undefined ? [] : [{ role: 'system', content: system }];
        const said: Said[] = [{ chat: model.chat({ system, partialAnswers: partials }), messages: opening, partials }];
        for (const next of steps) {
          await perform(next, said, model);
          expect(said.map(({ chat }) => chat.messages)).toEqual(said.map(({ messages }) => messages));
        }
      },
    ),
    tries(1500),
  );
  await model.dispose();
}, 120_000);
