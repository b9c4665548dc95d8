// The checks, by what they are about. Each is run on every library.
#pragma once

#include "driver.h"

namespace self_test {

// The calls of a run and their violations.
void CheckDefaults(const Runtime& runtime, bool zeroed);
void CheckPromises(const Runtime& runtime);
void CheckRuns(const Runtime& runtime);
void CheckEnds(const Runtime& runtime);
void CheckText(const Runtime& runtime);
void CheckAborts(const Runtime& runtime);
// What is remembered, and how it is cleared.
void CheckHistory(const Runtime& runtime);
void CheckTemplate(const Runtime& runtime);
void CheckPromptCache(const Runtime& runtime);
void CheckContext(const Runtime& runtime);
void CheckPause(const Runtime& runtime);
// Other inputs, outputs and functions.
void CheckInputs(const Runtime& runtime);
void CheckMultimodal(const Runtime& runtime);
void CheckPayloads(const Runtime& runtime);
void CheckLora(const Runtime& runtime);
void CheckCrossAttention(const Runtime& runtime);
void CheckBatch(const Runtime& runtime);
void CheckModelCallbacks(const Runtime& runtime);
// Ends of the process, and what the script may say of them.
void CheckDeaths(const Runtime& runtime);
void CheckIdleDeaths(const Runtime& runtime);
void CheckWords(const Runtime& runtime);

// Loads and runs a model of these script lines; prints what it prints, and what its functions return.
void Play(const Runtime& runtime, const std::vector<std::string>& script);

// Prints tokens per second.
void MeasureFlood(const Runtime& runtime);

}  // namespace self_test
