/** Tools, as users write them; see `api.ts`. */
import { defineTool, type ChatRun, type ChatSession, type RunStep, type StandardSchema, type Tool } from 'rkllm';
import { is } from './equal.js';

export async function tools(
  chat: ChatSession,
  schema: StandardSchema<unknown, { readonly city: string }>,
): Promise<void> {
  const typed = defineTool({ name: 'a', parameters: schema, run: ({ city }) => is<string>()(city, true) });
  const plain: Tool = { name: 'b', run: ({ city }: { city: string }, { signal }) => [city, signal.aborted] };
  const run = chat.run('Hi', { tools: [typed, plain], maxSteps: 3, onStep: ({ index }) => is<number>()(index, true) });
  is<ChatRun>()(run, true);
  for await (const chunk of run) if (chunk.type === 'tool-result') is<string>()(chunk.result.content, true);
  is<readonly RunStep[]>()((await run).steps, true);
  // @ts-expect-error -- nobody could run it
  chat.run('Hi', { tools: [{ name: 'c' }] });
  // @ts-expect-error -- there are none
  chat.run('Hi', { maxSteps: 3 });
  chat.send('Hi', { tools: [{ name: 'c', parameters: { type: 'object' } }] });
}
