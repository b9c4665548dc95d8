import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { codeOf, failureOf } from '../../support/reading.js';
import { directory, FakeModel, isFrom, releases, until } from './fake-model.js';
import {
  reply,
  system,
  opening,
  fills,
  loads,
  newDirectory,
  entriesIn,
  subject,
  filing,
  warmed,
} from './warmed-model.js';

describe.each(releases.filter((release) => isFrom(release, '1.2.0')))('in the memory of %s', (release) => {
  test('a turn after warm() computes its question only, whether it was awaited or not', async () => {
    const { fake, model } = await subject(release);
    const chat = model.chat({ system });
    const warming = chat.warm();
    const { text } = await chat.send('What is a token?');
    expect(text).toBe('Sure, here it is.');
    expect(await warming).toEqual({
      source: 'computed',
      computedInputTokens: isFrom(release, '1.2.3') ? opening : undefined,
      isStored: false,
      problem: undefined,
    });
    expect(fills(fake)[0]).toEqual({ computed: opening, reused: 0 });
    expect(fills(fake)[1]?.reused).toBe(opening);
    expect(chat.messages).toHaveLength(3);
  });
});

describe.each(releases)('in files of %s', (release) => {
  test('what one process has computed, the next one reads', async () => {
    const parent = newDirectory();
    const fake = new FakeModel(...reply);
    const first = await filing(release, parent, fake);
    expect(await first.model.chat({ system }).warm()).toMatchObject(warmed);
    await first.model.dispose();
    expect(readdirSync(parent)).toHaveLength(1);
    const before = fills(fake).length;

    const { model } = await filing(release, parent, fake);
    const chat = model.chat({ system });
    expect(await chat.warm()).toEqual({ source: 'file', computedInputTokens: 0, isStored: true, problem: undefined });
    expect(fills(fake)).toHaveLength(before);
    await chat.send('What is a token?');
    expect(fills(fake).at(-1)?.reused).toBe(opening);
  });

  test('is used by the process that has written it, and read once', async () => {
    const { fake, model } = await filing(release, newDirectory());
    const chat = model.chat({ system });
    await chat.warm();
    await chat.send('What is a token?');
    expect(fills(fake)[1]?.reused).toBe(opening);
    expect(loads(fake)).toBe(isFrom(release, '1.2.0') ? 0 : 1);
    await model.chat({ system }).warm();
    await model.chat({ system }).warm();
    expect(fills(fake)).toHaveLength(2);
    expect(loads(fake)).toBe(1);
  });
});

describe.each(['1.1.1', '1.2.3'] as const)('with adapters on %s', (release) => {
  test('what one has computed is never used by another', async () => {
    const parent = newDirectory();
    const fake = new FakeModel(...reply);
    const file = path.join(directory, `warm-${release}.rkllm`);
    writeFileSync(file, 'weights');
    const adapters = [{ name: 'polite', path: file }];
    const { model, runtime } = await filing(release, parent, fake, { adapters });
    const polite = model.chat({ system, lora: 'polite' });
    const plain = model.chat({ system });
    await polite.warm();
    await plain.send('One');
    expect(fills(fake).at(-1)?.reused).toBe(0);
    expect(await model.chat({ system }).warm()).toMatchObject(warmed);
    await polite.send('Two');
    expect(fills(fake).at(-1)?.reused).toBe(0);
    const again = model.chat({ system, lora: 'polite' });
    expect(await again.warm()).toMatchObject({ source: 'file' });
    await again.send('Three');
    expect(fills(fake).at(-1)?.reused).toBeGreaterThanOrEqual(opening);

    await runtime.loadLora({ name: 'weaker', path: file, scale: 0.5 });
    expect(await model.chat({ system }).warm({ lora: 'weaker' })).toMatchObject(warmed);
    expect(entriesIn(parent)).toHaveLength(3);
  });
});

describe('on a runtime that keeps nothing in memory', () => {
  test('there have to be files', async () => {
    const { fake, model } = await subject('1.1.1');
    expect(await codeOf(() => model.chat({ system }).warm())).toBe('RKLLM_UNSUPPORTED_OPTION');
    expect(fills(fake)).toEqual([]);
  });

  test('those of the conversation are enough', async () => {
    const { fake, model } = await subject('1.1.1', { promptCacheDirectory: newDirectory() });
    const chat = model.chat({ system });
    expect(await chat.warm()).toMatchObject({ source: 'computed', isStored: false });
    await chat.send('What is a token?');
    expect(fills(fake)[1]?.reused).toBe(opening);
  });

  test('both kinds go together', async () => {
    const parent = newDirectory();
    const { fake, model } = await filing('1.1.1', parent, undefined, { promptCacheDirectory: newDirectory() });
    const [one, other] = [model.chat({ system }), model.chat({ system: 'Another one.' })];
    await other.send('Hi');
    await one.warm();
    await one.send('What is a token?');
    expect(fills(fake).at(-1)?.reused).toBe(opening);
    await one.send('And the NPU?');
    expect(fills(fake).at(-1)?.reused).toBeGreaterThan(opening);
  });

  test('a model that writes none cannot be warmed up', async () => {
    const parent = newDirectory();
    const { model } = await filing('1.1.1', parent, new FakeModel('no-prompt-cache', ...reply));
    expect(await codeOf(() => model.chat({ system }).warm())).toBe('RKLLM_UNSUPPORTED_BY_RUNTIME');
    expect(readdirSync(parent)).toEqual([]);
  });
});

test('where it is in memory a model need not write a file', async () => {
  const parent = newDirectory();
  const { fake, model } = await filing('1.3.1', parent, new FakeModel('no-prompt-cache', ...reply));
  const chat = model.chat({ system });
  expect(await chat.warm()).toMatchObject({ source: 'computed', isStored: false });
  await chat.send('Hi');
  expect(fills(fake)[1]?.reused).toBe(opening);
  expect(readdirSync(parent)).toEqual([]);
});

describe('what goes wrong', () => {
  test('stopped by its signal it rejects with the reason, and leaves an idle engine and no file', async () => {
    const parent = newDirectory();
    const fake = new FakeModel('prefill-ms 60000', ...reply);
    const { model } = await filing('1.2.3', parent, fake);
    const chat = model.chat({ system });
    const controller = new AbortController();
    const reason = new Error('enough');
    const warming = failureOf(() => chat.warm({ signal: controller.signal }));
    await until(() => fake.journal.some((line) => line.startsWith('run')));
    controller.abort(reason);
    expect(await warming).toBe(reason);
    expect(model.state).toBe('ready');
    expect(readdirSync(parent)).toEqual([]);
    expect(await failureOf(() => chat.warm({ signal: AbortSignal.abort(reason) }))).toBe(reason);
  });

  test('a run that fails leaves no file, and nothing to go on from', async () => {
    const parent = newDirectory();
    const { model } = await filing('1.2.3', parent, new FakeModel('error-after 0', ...reply));
    expect(await codeOf(() => model.chat({ system }).warm())).toBe('RKLLM_RUN_FAILED');
    expect(readdirSync(parent)).toEqual([]);
  });

  test('a conversation that is too long is refused before it is sent', async () => {
    const { fake, model } = await subject('1.2.3', { maxContextLength: 32 });
    const long = 'word '.repeat(500);
    expect(await codeOf(() => model.chat({ system: long }).warm())).toBe('RKLLM_CONTEXT_OVERFLOW');
    expect(fills(fake)).toEqual([]);
  });

  test('beside a turn, or with what is no option, it is refused', async () => {
    const { model } = await subject('1.2.3');
    const chat = model.chat({ system });
    const turn = chat.send('Hi');
    expect(await codeOf(() => chat.warm())).toBe('RKLLM_CHAT_BUSY');
    await turn;
    expect(await codeOf(() => chat.warm({ loras: 'a' } as object))).toBe('RKLLM_UNKNOWN_OPTION');
    expect(await codeOf(() => chat.warm({ lora: 'a' }))).toBe('RKLLM_ADAPTER_UNKNOWN');
    await model.dispose();
    expect(await codeOf(() => chat.warm())).toBe('RKLLM_DISPOSED');
  });

  test('where the runtime has the template there is no prompt to compute', async () => {
    const { model } = await subject('1.2.3', { template: 'runtime' });
    expect(await codeOf(() => model.chat({ system }).warm())).toBe('RKLLM_TEMPLATE_UNKNOWN');
  });

  test('a directory that cannot be used is an error, and frees the model', async () => {
    const fake = new FakeModel(...reply);
    const file = path.join(newDirectory(), 'file');
    writeFileSync(file, '');
    const failure = await failureOf(() => filing('1.2.3', file, fake));
    expect(failure).toMatchObject({ code: 'RKLLM_INVALID_OPTION', details: { option: 'promptCacheFiles' } });
    expect(fake.calls.at(-1)).toBe('destroy');
    const none = new FakeModel(...reply);
    expect(await codeOf(() => subject('1.2.3', { promptCacheFiles: {} }, none))).toBe('RKLLM_INVALID_OPTION');
    expect(none.calls).toEqual([]);
  });
});
