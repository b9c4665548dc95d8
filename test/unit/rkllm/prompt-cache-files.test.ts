import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { PromptCacheFiles } from '../../../lib/prompt-cache/files.js';
import { directory, FakeModel } from './fake-model.js';
import {
  reply,
  system,
  fills,
  loads,
  newDirectory,
  entriesIn,
  type Subject,
  subject,
  filing,
  warmed,
} from './warmed-model.js';

describe('an entry', () => {
  const release = '1.2.3';

  /** A directory with one entry, and the model that has written it. */
  async function written() {
    const parent = newDirectory();
    const fake = new FakeModel(...reply);
    const { model } = await filing(release, parent, fake);
    await model.chat({ system }).warm();
    await model.dispose();
    const [name = ''] = entriesIn(parent);
    return { parent, fake, entry: path.join(parent, name) };
  }

  const sourceOf = async (subjectOf: Promise<Subject>, chat = { system }): Promise<string> =>
    (await (await subjectOf).model.chat(chat).warm()).source;

  test('is of one model, release, context length, template and prompt', async () => {
    const { parent, fake } = await written();
    const options = { promptCacheFiles: { directory: parent } };
    expect(await sourceOf(subject(release, options, fake))).toBe('file');
    expect(await sourceOf(subject(release, options, fake), { system: 'Another one.' })).toBe('computed');
    expect(await sourceOf(subject('1.3.0', options, fake))).toBe('computed');
    expect(await sourceOf(subject(release, { ...options, maxContextLength: 1024 }, fake))).toBe('computed');
    expect(await sourceOf(subject(release, { ...options, template: 'chatml' }, fake))).toBe('computed');
    expect(await sourceOf(subject(release, options))).toBe('computed');
    expect(entriesIn(parent)).toHaveLength(6);
  });

  test('is of what the model may call', async () => {
    const { parent, fake } = await written();
    const { model } = await filing(release, parent, fake);
    const tools = [{ name: 'weather', description: 'Tells it.', parameters: { type: 'object' } }];
    const chat = model.chat({ system });
    expect(await chat.warm({ tools })).toMatchObject(warmed);
    await chat.send('Hi', { tools });
    expect(fills(fake).at(-1)?.computed).toBeLessThan(5);
  });

  test.each<[string, RegExp, (entry: string) => void]>([
    ['too short', /bytes, and was written with/u, (entry) => truncateSync(path.join(entry, 'prompt.cache'), 5)],
    [
      'changed',
      /content has changed/u,
      (entry) => {
        const file = path.join(entry, 'prompt.cache');
        const bytes = readFileSync(file);
        writeFileSync(file, bytes.fill(1, bytes.length - 1));
      },
    ],
    ['gone', /no such file/u, (entry) => renameSync(path.join(entry, 'prompt.cache'), path.join(entry, 'other'))],
    [
      'a link',
      /is a link/u,
      (entry) => {
        const file = path.join(entry, 'prompt.cache');
        renameSync(file, `${file}.0`);
        symlinkSync(`${file}.0`, file);
      },
    ],
    ["for everyone's pen", /other users/u, (entry) => chmodSync(path.join(entry, 'prompt.cache'), 0o666)],
    ['described by nobody', /no such file/u, (entry) => renameSync(path.join(entry, 'entry.json'), `${entry}.json`)],
    [
      'described wrongly',
      /another version/u,
      (entry) => writeFileSync(path.join(entry, 'entry.json'), '{"version":2}'),
    ],
    ['half described', /JSON/u, (entry) => truncateSync(path.join(entry, 'entry.json'), 10)],
  ])('that is %s is refused, said so, and written anew', async (_, problem, spoil) => {
    const { parent, fake, entry } = await written();
    spoil(entry);
    const { model } = await filing(release, parent, fake);
    const chat = model.chat({ system });
    expect(await chat.warm()).toMatchObject({ ...warmed, problem: expect.stringMatching(problem) as string });
    expect(loads(fake)).toBe(0);
    expect(await chat.warm()).toMatchObject({ source: 'file', problem: undefined });
  });

  test('of something else, put in its place, is refused', async () => {
    const { parent, fake, entry } = await written();
    const { model } = await filing(release, parent, fake);
    await model.chat({ system: 'Another one.' }).warm();
    const [other = ''] = entriesIn(parent).filter((name) => name !== path.basename(entry));
    renameSync(entry, `${entry}.old`);
    renameSync(path.join(parent, other), entry);
    expect(await model.chat({ system }).warm()).toMatchObject({ problem: 'it was computed of something else' });
  });

  test('that the runtime does not take is computed again', async () => {
    const parent = newDirectory();
    const { fake, model } = await filing(release, parent);
    const files = await PromptCacheFiles.open({ directory: parent, maxBytes: 1 }, fake.path, model.info);
    const text = `<|system|>\n${system}<|end|>\n<|user|>\n`;
    const unfinished = await files.begin(await files.keyOf({ text, template: 'phi3', lora: undefined }));
    writeFileSync(unfinished.path, 'no prompt cache');
    await unfinished.keep();
    const problem = 'the runtime did not take it';
    expect(await model.chat({ system }).warm()).toMatchObject({ ...warmed, problem });
    expect(loads(fake)).toBe(1);
    expect(await model.chat({ system }).warm()).toMatchObject({ source: 'file', problem: undefined });
  });

  test('that was not used for longest goes first; the newest stays, and what is not ours is left alone', async () => {
    const parent = newDirectory();
    writeFileSync(path.join(parent, 'notes.txt'), 'mine');
    mkdirSync(path.join(parent, 'photos'));
    const abandoned = path.join(parent, '.unfinished-abandoned');
    mkdirSync(abandoned);
    utimesSync(abandoned, new Date(0), new Date(0));
    mkdirSync(path.join(parent, '.unfinished-of-another'));
    const fake = new FakeModel(...reply);
    const { model } = await filing(release, parent, fake);
    const oneAt = async (name: string, seconds: number): Promise<string> => {
      const before = entriesIn(parent);
      await model.chat({ system: name }).warm();
      const [entry = ''] = entriesIn(parent).filter((one) => !before.includes(one));
      utimesSync(path.join(parent, entry, 'entry.json'), seconds, seconds);
      return entry;
    };
    const old = await oneAt('One', 1000);
    const older = await oneAt('Two', 2000);
    await model.chat({ system: 'One' }).warm(); // used now
    await model.dispose();
    const size = ['prompt.cache', 'entry.json']
      .map((name) => readFileSync(path.join(parent, old, name)).length)
      .reduce((a, b) => a + b);

    const smaller = await subject(release, { promptCacheFiles: { directory: parent, maxBytes: 3 * size - 1 } }, fake);
    await smaller.model.chat({ system: 'Six' }).warm();
    expect(entriesIn(parent)).toHaveLength(2);
    expect(entriesIn(parent)).toContain(old);
    expect(entriesIn(parent)).not.toContain(older);
    await smaller.model.dispose();

    const tiny = await subject(release, { promptCacheFiles: { directory: parent, maxBytes: 1 } }, fake);
    await tiny.model.chat({ system: 'Ten' }).warm();
    expect(entriesIn(parent)).toHaveLength(1);
    expect(readdirSync(parent).filter((name) => !entriesIn(parent).includes(name))).toEqual([
      '.unfinished-of-another',
      'notes.txt',
      'photos',
    ]);
  });

  test('is written once by two models at the same time', async () => {
    const parent = newDirectory();
    const fake = new FakeModel(...reply);
    const models = await Promise.all([filing(release, parent, fake), filing(release, parent, fake)]);
    const outcomes = await Promise.all(models.map(({ model }) => model.chat({ system }).warm()));
    for (const outcome of outcomes) expect(outcome.isStored).toBe(true);
    expect(readdirSync(parent)).toHaveLength(1);
  });
});

test('an adapter that has gone with its engine names no file any more', async () => {
  const [parent, fake] = [newDirectory(), new FakeModel(...reply)];
  const [file, other] = ['polite', 'rude'].map((name) => {
    const at = path.join(directory, `${name}-of-reload.rkllm`);
    writeFileSync(at, name);
    return at;
  });
  const options = { adapters: [{ name: 'polite', path: String(file) }], sampling: 'reload' } as const;
  const { model, runtime } = await filing('1.2.3', parent, fake, options);
  await runtime.loadLora({ name: 'polite', path: String(other) });
  await model.generate({ prompt: 'Hi' }, { temperature: 0.5 }); // loads the model again, with its own adapter
  expect(await model.chat({ system, lora: 'polite' }).warm()).toMatchObject(warmed);
  await model.dispose();

  const next = await filing('1.2.3', parent, fake, options);
  expect(await next.model.chat({ system, lora: 'polite' }).warm()).toMatchObject({ source: 'file' });
});
