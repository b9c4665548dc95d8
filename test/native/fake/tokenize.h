// From the input of a run to its tokens and its reply.
#pragma once

#include "instance.h"
#include "run_script.h"

namespace fake {

// The tokens and the reply of every row of the batch. Otherwise than 0 it is what rkllm_run returns: refused.
int Tokenize(Instance& instance, const RunArguments& arguments, RunSetup& setup);

// What the tokenizer callback makes of a text. False when it fails and the script minds.
bool AskTokenizer(const Instance& instance, const std::string& text, std::vector<Token>& tokens);

}  // namespace fake
