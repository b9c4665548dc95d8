// How a fake model behaves: read from the text of its "model" file, so that two models in one process can differ.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fake {

struct Piece {
  enum class Kind { kText, kNull, kWaiting };  // kNull: NORMAL without text; kWaiting: WAITING without text
  Kind kind = Kind::kText;
  std::string text;
  std::int32_t id = 0;
};

// One command per line, `#` starts a comment; test/native/README.md lists the commands.
struct Script {
  int init_code = 0;
  int init_delay_ms = 0;
  bool init_null_handle = false;
  int destroy_delay_ms = 0;

  std::vector<Piece> reply;  // empty: echo the prompt
  std::int64_t repeat = 1;   // how often the reply is given; -1: for ever
  int prefill_ms = 0;
  int token_us = 0;  // pause before every token but the first
  bool foreign_thread = false;

  int run_code = 0;
  bool finish = true;
  bool null_result = false;                 // with FINISH and ERROR
  std::optional<std::int64_t> error_after;  // tokens before ERROR
  std::optional<std::int32_t> extra_state;  // an event of this state before every token
  int after_finish = 0;                     // tokens after FINISH

  bool abort_in_prefill = true;  // false: prefill cannot be interrupted
  int abort_delay_ms = 0;        // how long tokens still come after an abort
  bool abort_ignored = false;
  int abort_code = 0;  // what rkllm_run returns after an abort
};

// nullopt when the file is not a fake model or holds an unknown command (which is reported).
std::optional<Script> LoadScript(const std::string& path);

}  // namespace fake
