// How a fake model behaves: read from the text of its "model" file, so that two models in one process can differ.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "places.h"

namespace fake {

struct Piece {
  // kNull: NORMAL without text; kWaiting: WAITING without text; kPartial: WAITING with text.
  enum class Kind { kText, kNull, kWaiting, kPartial };
  Kind kind = Kind::kText;
  std::string text;
  std::int32_t id = 0;
  std::uint32_t word = 0;  // what a prompt's word is recognized by (WordHash)
};

// Bytes that the library writes where it has nothing to write.
struct Scribble {
  std::string place;
  int descriptor = 0;
  std::string bytes;
};

// One command per line, `#` starts a comment; test/native/README.md lists the commands.
using Reply = std::vector<Piece>;

struct Script {  // NOLINT(clang-analyzer-optin.performance.Padding): in the order of the README
  bool log = false;
  bool details = false;
  std::vector<Saying> sayings;
  std::vector<Scribble> scribbles;
  std::vector<Failure> failures;
  std::vector<std::string> fails_as;  // names of vendor_failures.cc

  int init_code = 0;
  int init_delay_ms = 0;
  bool init_null_handle = false;
  std::string init_false_success;  // how rkllm_run ends then: as in ends.h, or error
  int destroy_delay_ms = 0;
  int destroy_code = 0;
  int max_context = 0;  // of the model; 0: no limit
  bool max_context_exclusive = false;
  int context_step = 1;
  int npu_cores = 1;
  bool keeps_pointers = false;

  // Of consecutive runs, the last one again, and of the rows of each, likewise; an empty one echoes.
  std::vector<std::vector<Reply>> replies = std::vector<std::vector<Reply>>(1, std::vector<Reply>(1));
  std::int64_t repeat = 1;  // how often the reply is given; -1: for ever
  int prefill_ms = 0;
  int token_us = 0;  // pause before every token but the first
  bool foreign_thread = false;
  bool silent = false;
  std::optional<std::size_t> silent_runs;  // only the first ones; all where it has no value
  std::string eos;                         // null, empty or none
  std::int32_t eos_id = 2;

  int run_code = 0;
  bool finish = true;
  std::int32_t finish_id = 0;
  bool finish_last_id = false;
  bool null_result = false;                 // with FINISH and ERROR
  std::optional<std::int64_t> error_after;  // tokens before ERROR
  std::optional<std::int32_t> extra_state;  // an event of this state before every token
  int after_finish = 0;                     // tokens after FINISH
  std::optional<int> late_event_ms;         // an event so long after the return of rkllm_run
  int enter_delay_ms = 0;                   // between the call of rkllm_run and the start of the run
  int return_delay_ms = 0;                  // between the end of a run and the return of rkllm_run
  bool pause_ignored = false;
  bool pause_finish = false;
  std::string run_async;  // works or silent

  bool abort_in_prefill = true;  // false: prefill cannot be interrupted
  int abort_delay_ms = 0;        // how long tokens still come after an abort
  bool abort_ignored = false;
  int abort_code = 0;  // what rkllm_run returns after an abort
  bool abort_finish = true;
  bool abort_error = false;  // ERROR in place of FINISH
  int after_abort = 0;       // tokens that still come
  int abort_call_code = 0;   // what rkllm_abort returns
  int abort_idle_code = 0;   // ... with nothing running
  bool abort_idle_sticks = false;

  bool template_broken = false;
  bool role_required = false;
  bool prefix_reuse = true;
  bool prompt_cache = true;
  bool context_shift = true;
  int n_keep_default = 0;  // what n_keep -1 stands for
  int overflow_code = -1;

  int embed_dim = 8;
  int vocab = 16;
  bool payload_finish = true;
  bool payload_bare_first = false;
  bool payload_null = false;
  int payload_repeat = 1;

  bool no_tokenizer = false;
  bool ask_at_init = false;
  int tokenizer_max = 0;  // 0: the context
  bool no_embedding = false;
  int embed_chunk = 0;  // 0: the whole prompt at once
  int unanswered_code = -1;
  bool unanswered_ignored = false;
};

// nullopt when the file is not a fake model or holds an unknown command (which is reported).
std::optional<Script> LoadScript(const std::string& path);

}  // namespace fake
