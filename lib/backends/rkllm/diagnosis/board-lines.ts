import type { Circumstances, Explanation, KnownLine } from './known-line.js';
import { oldestDriver } from '../../../board/driver.js';
import { isDriverTooOld } from './runtime-facts.js';

/** What the runtime says of the board, the NPU's driver and what it gets from it. */
export const boardLines: readonly KnownLine[] = [
  {
    example:
      'E RKNN: [10:49:05.216] failed to convert handle(1020) to fd, ret: -1, errno: 24, errstr: Too many open files',
    pattern: /errno: 24\b|Too many open files/u,
    code: 'RKLLM_TOO_MANY_OPEN_FILES',
    weight: 'cause',
    explain: () => ({
      summary: 'The process may not open as many files as the runtime needs, one for every piece of NPU memory.',
      hint: 'Raise the limit: ulimit -n 102400 before the program starts, or LimitNOFILE=102400 in its systemd unit.',
    }),
  },
  {
    // Nobody has reported its exact words; whatever the driver refuses for this reason has this number.
    example: 'E RKNN: [12:35:17.433] failed to open /dev/dri/renderD129, ret: -1, errno: 13, errstr: Permission denied',
    pattern: /failed to .*errno: (?:1|13)\b|\/dev\/.*(?:Permission denied|Operation not permitted)/u,
    code: 'RKLLM_NPU_ACCESS_DENIED',
    weight: 'cause',
    explain: () => accessDenied,
  },
  {
    example: 'E RKNN: [12:35:17.433] failed to open rknpu module, need to insmod rknpu dirver!',
    pattern: /failed to open rknpu module/u,
    code: 'RKLLM_DRIVER_NOT_FOUND',
    weight: 'cause',
    initFailed: true,
    explain: (_, circumstances) => noDevice(circumstances),
  },
  {
    example: 'E RKNN: [12:35:17.433] failed to open rknn device!',
    pattern: /failed to open rknn device/u,
    code: 'RKLLM_DRIVER_NOT_FOUND',
    weight: 'symptom',
    initFailed: true,
    explain: (_, circumstances) => noDevice(circumstances),
  },
  {
    example: 'E RKNN: [12:35:17.533] Device is not available',
    pattern: /Device is not available|Get device properties failed/u,
    code: 'RKLLM_DRIVER_NOT_FOUND',
    weight: 'symptom',
    initFailed: true,
    explain: (_, circumstances) => noDevice(circumstances),
  },
  {
    example: 'W rkllm: Warning: Your rknpu driver version is too low, please upgrade to 0.9.7',
    pattern: /driver version is too low/u,
    code: 'RKLLM_DRIVER_TOO_OLD',
    weight: 'warning',
    explain: (_, circumstances) => ({
      summary: `${driverOf(circumstances)} is older than the runtime asks for, ${wantedOf(circumstances)}.`,
      hint: `${upgrade} The runtime goes on, but some models fail with it, or answer nonsense.`,
      details: driverDetails(circumstances),
    }),
  },
  {
    example: 'E rkllm: matmul(w8a8) run failed',
    pattern: /matmul(?:\((?<type>[^)]*)\))? run failed/u,
    code: 'RKLLM_DRIVER_TOO_OLD',
    weight: 'symptom',
    runFailed: true,
    explain: ({ type }, circumstances) => {
      const details = { type, ...driverDetails(circumstances) };
      const summary = `The NPU has failed to compute${type === undefined ? '' : ` (${type})`}; what the model answers is worthless.`;
      if (isDriverTooOld(circumstances.facts) === false) {
        return { code: 'RKLLM_RUN_FAILED', summary, hint: afterFailedJob, details };
      }
      return {
        summary: `${summary} That is what a driver does that is too old for the runtime; ${driverOf(circumstances)} is installed.`,
        hint: upgrade,
        details,
      };
    },
  },
  {
    example:
      'E RKNN: [14:02:41.112] failed to submit!, op id: 0, op name: MatMul, flags: 0x5, task start: 0, task number: 1, run task counter: 0, int status: 0x200',
    pattern: /failed to submit!?, op id: \d+, op name: (?<operation>[^,]+)/u,
    code: 'RKLLM_RUN_FAILED',
    weight: 'symptom',
    explain: ({ operation }, circumstances) => ({
      summary: `The NPU's driver has not finished a job (${operation ?? '?'}).`,
      hint: afterFailedJob,
      details: { operation, ...driverDetails(circumstances) },
    }),
  },
  {
    example: 'E RKNN: [09:40:45.140] failed to allocate handle, ret: -1, errno: 14, errstr: Bad address',
    pattern: /failed to allocate (?:handle|fd), .*errno: (?<errno>\d+)/u,
    code: 'RKLLM_NPU_MEMORY',
    weight: 'symptom',
    explain: ({ errno }, circumstances) => noMemory(circumstances, { errno: Number(errno) }),
  },
  {
    example: 'E RKNN: [09:40:45.140] failed to malloc npu memory, size: 3085697024, flags: 0x2',
    pattern: /failed to malloc npu memory!?(?:, size: (?<size>\d+))?/u,
    code: 'RKLLM_NPU_MEMORY',
    weight: 'symptom',
    explain: ({ size }, circumstances) => noMemory(circumstances, { size: size === undefined ? size : Number(size) }),
  },
  {
    example: 'can not create weight memory for domain1',
    pattern: /can ?not create weight memory for domain(?<domain>\d+)/u,
    code: 'RKLLM_NPU_MEMORY',
    weight: 'symptom',
    explain: ({ domain }, circumstances) => noMemory(circumstances, { domain: Number(domain) }),
  },
  {
    example: 'Query platform error!',
    pattern: /Query platform error/u,
    code: 'RKLLM_PLATFORM_UNSUPPORTED',
    weight: 'cause',
    initFailed: true,
    explain: () => ({
      summary: 'The runtime cannot find out which SoC this board has.',
      hint: `${needsDeviceTree} Otherwise the runtime may be too old for the board: use a newer librkllmrt.so.`,
    }),
  },
  {
    example: 'Platform error: must be either RK3588, RK3576, RV1126B, or RK3562. Your platform is lite.',
    pattern: /Platform error: must be either (?<supported>.+?)(?:\.|$)/u,
    code: 'RKLLM_PLATFORM_UNSUPPORTED',
    weight: 'cause',
    initFailed: true,
    explain: ({ supported }, { facts: { platform } }) => ({
      summary: `The runtime takes this board for ${platform ?? 'another one'}; it knows ${supported ?? 'others'}.`,
      hint: `If the board has one of those, ${needsDeviceTree.charAt(0).toLowerCase()}${needsDeviceTree.slice(1)} On others, run the model on the CPU: RKLLM_BACKEND=onnx.`,
      details: { platform, supported: supported?.match(/\w*\d\w*/gu) ?? [] },
    }),
  },
];

const needsDeviceTree =
  'The runtime needs /proc/device-tree/compatible: in a container, pass it in or use --privileged; a board that boots with ACPI has none.';

const upgrade =
  'Upgrade the kernel or the image of the board, so that cat /sys/module/rknpu/version shows 0.9.8 or newer.';

const afterFailedJob =
  'Load the model again. If it fails again, look at dmesg for RKNPU, and at the power supply: a board that gets too little fails like this.';

const accessDenied: Explanation = {
  code: 'RKLLM_NPU_ACCESS_DENIED',
  summary: "This user may not open the NPU's device.",
  hint: 'Run sudo usermod -aG render,video $USER and log in again; ls -l /dev/dri /dev/rknpu shows which group has it.',
};

/** The runtime says that there is no driver also where it may not open the device. */
function noDevice({ facts, installedDriver }: Circumstances): Explanation {
  const driver = installedDriver ?? facts.driverVersion;
  if (driver !== undefined) {
    return {
      ...accessDenied,
      summary: `The NPU's driver ${driver} is there, but its device cannot be opened.`,
      hint: `${accessDenied.hint} In a container, pass the device in, such as with --device /dev/dri.`,
      details: { driverVersion: driver },
    };
  }
  return {
    summary: "The runtime cannot open the NPU's device.",
    hint:
      'If cat /sys/module/rknpu/version shows a version, this user may not open it: sudo usermod -aG render,video $USER. ' +
      "Otherwise there is no driver: use the vendor's image or kernel; the driver rocket of mainline kernels does not do.",
  };
}

function noMemory(circumstances: Circumstances, figures: Readonly<Record<string, unknown>>): Explanation {
  const size = typeof figures['size'] === 'number' ? ` (${(figures['size'] / 1e6).toFixed(1)} MB)` : '';
  const tooOld = isDriverTooOld(circumstances.facts) === true;
  const first = tooOld
    ? `${driverOf(circumstances)} is older than ${oldestDriver} and limits it. ${upgrade} Or load`
    : 'Load';
  return {
    summary: `The NPU has not got the memory that it needs${size}.`,
    hint:
      `${first} with another baseDomainId (each has about 4 GB), with a smaller maxContextLength, or a smaller model; ` +
      'end other processes that use the NPU.',
    details: { ...figures, ...driverDetails(circumstances) },
  };
}

function driverOf({ facts, installedDriver }: Circumstances): string {
  const version = facts.driverVersion ?? installedDriver;
  return version === undefined ? "The NPU's driver" : `The NPU's driver ${version}`;
}

function wantedOf({ facts }: Circumstances): string {
  return facts.driverWanted ?? oldestDriver;
}

function driverDetails({ facts, installedDriver }: Circumstances): Readonly<Record<string, unknown>> {
  return { driverVersion: facts.driverVersion ?? installedDriver };
}
