import { failureOf } from '../../support/reading.js';
import { load } from './batches.js';
import { FakeModel, releases } from './fake-model.js';

const schema = { type: 'object', properties: { cores: { type: 'integer' } }, required: ['cores'] };

describe.each(releases)('answers as JSON on %s', (release) => {
  test('are read, with what stands around them', async () => {
    const fake = new FakeModel('token Sure:\\n', 'token {"cores":', 'token \\x203}');
    const { model } = await load(release, fake, { template: 'phi3' });
    expect(model.capabilities.constrainedJson).not.toBe(true);
    const { json, text } = await model.generate('How many?', { responseFormat: { type: 'json', schema } });
    expect({ json, text }).toEqual({ json: { cores: 3 }, text: '{"cores": 3}' });
    await model.dispose();
  });

  test('are asked for again, and given up', async () => {
    const fake = new FakeModel('token {"cores":', 'token "three"}');
    const { model } = await load(release, fake, { template: 'phi3' });
    const answer = model.generate('How many?', { responseFormat: { type: 'json', schema, maxRepairs: 1 } });
    expect(await failureOf(() => answer)).toMatchObject({
      code: 'RKLLM_RESPONSE_INVALID',
      details: { attempts: 2, text: '{"cores":"three"}' },
    });
    expect(fake.calls.filter((call) => call.startsWith('run '))).toHaveLength(2);
    await model.dispose();
  });
});
