export const usage = `Usage: rkllm run [options] [prompt]
       rkllm doctor [options]          see rkllm doctor --help

Asks a model and streams its answer. Without a prompt it asks the model what it can do;
"-" reads the prompt from standard input.

  -m, --model PATH           a .rkllm file, or an ONNX model's directory; default: $RKLLM_MODEL,
                             else the small model that comes with rkllm
  -s, --system TEXT          what the model is told first
  -n, --max-new-tokens N     stop after N tokens
  -t, --temperature N        0 is always the most likely token
      --top-k N, --top-p N, --repeat-penalty N, --seed N
      --backend NAME         auto, onnx or rkllm; default: $RKLLM_BACKEND, else auto
      --runtime PATH         the vendor's librkllmrt.so; default: $RKLLM_RUNTIME_PATH
      --template NAME        auto, none, runtime, the name of a built-in template such as phi3 or
                             chatml, or a .jinja or tokenizer_config.json file
      --max-context-length N, --threads N
      --pace PRESET          on the CPU at a board's published speed: rk3588-phi3-w8a8 or
                             rk3576-phi3-w4a16
  -q, --quiet                the answer only
  -h, --help, -v, --version

Exit codes: 0 answered, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C.
`;

export const doctorUsage = `Usage: rkllm doctor [options]

Looks at this computer, its NPU, the vendor's runtime and a model: what is there, what is
missing, why it matters, and what to do. It changes nothing, and loads nothing of the vendor
without --self-test. A computer without an NPU is no failure: models run on its CPU.

  -m, --model PATH           look at this model, too; default: $RKLLM_MODEL
      --verify               read the whole model and compare its checksum, where its download has
                             left one
      --runtime PATH         the vendor's librkllmrt.so; default: $RKLLM_RUNTIME_PATH
      --max-context-length N the context that the model is to be loaded with; default: 4096
      --require-npu          fail where there is no NPU
      --json                 as JSON, for programs
      --self-test            then load the model (without --model the one that comes with rkllm)
                             and run a short script: answer, stop, load again, and so on
      --step-timeout SECONDS how long a step of the script may take; default: 180, and for the load
                             a second more for every 10 MB
      --report FILE          write a report that can be shown to others: Markdown, or JSON for
                             a name that ends in .json
  -h, --help, -v, --version

The report has facts about the board, its software and the model's file, and what the
self-test measured. It has no prompt or answer, and no name of a user, a computer or a directory
of theirs.

Exit codes: 0 nothing fails (warnings do not count), 1 something does, 2 wrong usage.
`;
