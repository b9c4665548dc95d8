import type { Board } from '../board/index.js';
import type { Machine } from '../board/machine.js';
import { installOrt, oldestOrt, ortPlatforms, type OrtPackage } from '../backends/onnx/ort-package.js';
import type { NativeAddonStatus } from '../backends/rkllm/addon.js';
import { conclude, type Check, type Subject } from '../checks/check.js';
import { compareReleases } from '../releases.js';

const platformCheck: Subject = {
  id: 'platform',
  title: 'Platform',
  why: 'The NPU is used from 64-bit Node.js on Linux with glibc; the CPU wherever onnxruntime-node has a binary.',
};

/** As `engines` of package.json. */
const oldestNode = '18.19.0';

export function checkPlatform({ platform, arch, nodeVersion, glibcVersion }: Machine, { hasNpu }: Board): Check {
  const libc = glibcVersion === undefined ? 'no glibc' : `glibc ${glibcVersion}`;
  const found = `${platform}-${arch}, Node.js ${nodeVersion}${platform === 'linux' ? `, ${libc}` : ''}`;
  if (compareReleases(nodeVersion, oldestNode) < 0) {
    const fix = 'Install Node.js 20 or newer: https://nodejs.org/en/download';
    return conclude(platformCheck, 'fail', `${found}; too old, 18.19 is the first`, fix);
  }
  if (hasNpu && arch !== 'arm64') {
    const fix = 'Install Node.js for linux-arm64: https://nodejs.org/en/download';
    return conclude(platformCheck, 'fail', `${found}, on a board whose NPU needs arm64`, fix);
  }
  if (hasNpu && glibcVersion === undefined) {
    const fix = 'Use a system with glibc, such as Debian or Ubuntu; for containers: `FROM node:22-bookworm-slim`';
    return conclude(platformCheck, 'fail', `${found}, which the vendor's runtime needs`, fix);
  }
  return conclude(platformCheck, 'ok', found);
}

const addonCheck: Subject = {
  id: 'addon',
  title: 'Native addon',
  why: "It is what speaks to the vendor's runtime. The CPU does not need it.",
};

export function checkAddon(status: NativeAddonStatus, { hasNpu }: Board): Check {
  if (status.available) return conclude(addonCheck, 'ok', 'it can be loaded');
  const reason = status.reason.split('\n', 1)[0] ?? '';
  const fix = `\`sudo apt-get install ${status.packages.join(' ')} && npm run build:native\``;
  return conclude(addonCheck, hasNpu ? 'fail' : 'skip', reason, fix);
}

const cpuCheck: Subject = {
  id: 'cpu-backend',
  title: 'CPU backend',
  why: 'ONNX models, the embedded one among them, run on the CPU with the package onnxruntime-node.',
};

/** As `peerDependencies` of package.json. */
const firstTooNewOrt = '2.0.0';

/** Without it, a computer without an NPU can run nothing. */
export function checkCpuBackend(ort: OrtPackage | undefined, { hasNpu }: Board): Check {
  const missing = hasNpu ? 'skip' : 'fail';
  if (ort === undefined) return conclude(cpuCheck, missing, 'onnxruntime-node is not installed', `\`${installOrt()}\``);
  const found = `onnxruntime-node ${ort.version}`;
  if (!ort.hasBinary) {
    const fix = `It has binaries for ${ortPlatforms}.`;
    return conclude(cpuCheck, missing, `${found}, without a binary for this platform`, fix);
  }
  if (compareReleases(ort.version, oldestOrt) < 0) {
    return conclude(cpuCheck, missing, `${found}, which is too old: 1.25 is needed`, `\`${installOrt()}\``);
  }
  if (compareReleases(ort.version, firstTooNewOrt) >= 0) {
    return conclude(cpuCheck, 'warn', `${found}; 1.25 to 1.x are tested`, `\`${installOrt()}\``);
  }
  return conclude(cpuCheck, 'ok', found);
}
