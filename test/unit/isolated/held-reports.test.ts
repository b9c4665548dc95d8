/** A failure is told with what was printed before it; a stream that is lost must not slow down every run after that. */
import { HeldReports } from '../../../lib/backends/rkllm/isolated/held-reports.js';
import type { HostReport } from '../../../lib/backends/rkllm/isolated/messages.js';

const report = (run: number, logMark?: string): HostReport => ({
  type: 'event',
  event: { type: 'ended', run, outcome: 'completed', returned: 0 },
  ...(logMark !== undefined && { logMark }),
});

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

function subject(): { held: HeldReports; given: number[] } {
  const given: number[] = [];
  const held = new HeldReports('mark', (each) => {
    if (each.type === 'event' && each.event.type === 'ended') given.push(each.event.run);
  });
  return { held, given };
}

test('a report waits for its mark, and those behind it wait with it', () => {
  const { held, given } = subject();
  held.take(report(1, 'mark:1'));
  held.take(report(2));
  expect(given).toEqual([]);
  expect(held.takeMark('something else')).toBe(false);
  expect(held.takeMark('mark:1')).toBe(true);
  expect(given).toEqual([1, 2]);
  held.takeMark('mark:2'); // printed before the report comes
  held.take(report(3, 'mark:2'));
  expect(given).toEqual([1, 2, 3]);
  expect(jest.getTimerCount()).toBe(0);
});

test('a mark that does not come is waited for once, and no other after it', async () => {
  const { held, given } = subject();
  held.take(report(1, 'mark:1'));
  await jest.advanceTimersByTimeAsync(999);
  expect(given).toEqual([]);
  await jest.advanceTimersByTimeAsync(2);
  expect(given).toEqual([1]);
  held.take(report(2, 'mark:2'));
  expect(given).toEqual([1, 2]);
  expect(held.takeMark('mark:2')).toBe(true); // still none of the runtime's lines
});
