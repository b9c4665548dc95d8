export { scripted, type Script, type ScriptedReply, type ScriptedToken } from './backends/scripted/index.js';
