// Answers over HTTP as server-sent events; a client that leaves stops its answer. Run: node examples/server.mts [port]
// and ask: curl -N -d 'What is the RK3588?' http://localhost:8080
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as bodyOf } from 'node:stream/consumers';
import { isRkllmError, loadModel } from 'rkllm';

const model = await loadModel(process.env['RKLLM_MODEL'], { queue: { maxPending: 8, timeoutMs: 60_000 } });

/** A listener of node:http. It will do for Express, too: `app.post('/', answer)`, with nothing before it that reads bodies. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const generation = model.generate(await bodyOf(request), { maxNewTokens: 300 });
    response.on('close', () => generation.abort()); // of an answer that is over it does nothing
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    for await (const chunk of generation) response.write(`data: ${JSON.stringify(chunk)}\n\n`);
    response.end();
  } catch (error) {
    const { code, message } = isRkllmError(error) ? error : { code: 'ERROR', message: 'The request failed.' };
    if (response.headersSent) response.end(`event: error\ndata: ${JSON.stringify({ code, message })}\n\n`);
    else response.writeHead(code === 'RKLLM_QUEUE_FULL' ? 503 : 400).end(`${code}: ${message}\n`);
  }
}

const server = createServer((request, response) => void answer(request, response));
server.listen(Number(process.argv[2] ?? 8080), () => {
  console.log(`listening on port ${(server.address() as AddressInfo).port}`);
});

process.once('SIGTERM', () => {
  server.close();
  void model.dispose({ abort: true });
});
