/** What /proc says about processes. */
const { readdirSync, readFileSync } = require('node:fs');

/** The name may have spaces and parentheses; what follows has neither. */
function read(pid) {
  let stat;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined; // it is gone
  }
  const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { pid, name: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')), state, parent: Number(parent) };
}

exports.childrenOf = (parent) =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .map((name) => read(Number(name)))
    .filter((entry) => entry?.parent === parent);

/** Whether it is there and no zombie. */
exports.isRunning = (pid) => ![undefined, 'Z', 'X'].includes(read(pid)?.state);
