// Where each generation of the vendor's library keeps what in the caller's memory. Shares no declaration with the
// addon: a wrong struct there must show here.
#pragma once

#include <cstddef>

namespace fake {

enum class Generation { kG1, kG2, kG2b, kG3, kG4, kG5 };

// The generation this library imitates; generation.cc is compiled once for each.
Generation ThisGeneration();

inline bool AtLeast(Generation generation) { return ThisGeneration() >= generation; }

enum class Field {
  // RKLLMParam. kTopP begins eight values of four bytes: top_p, temperature, repeat_penalty, frequency_penalty,
  // presence_penalty, mirostat, mirostat_tau, mirostat_eta.
  kParamSize,
  kNKeep,
  kTopP,
  kSkipSpecialToken,
  kIgnoreEosToken,
  kIsAsync,
  kImgStart,
  kImgEnd,
  kImgContent,
  kBaseDomainId,
  kEmbedFlash,
  kEnabledCpusNum,
  kEnabledCpusMask,
  kNBatch,
  kUseCrossAttn,
  kBooleansEnd,
  kPointersStart,
  kReserved,
  // RKLLMInput
  kInputSize,
  kRole,
  kEnableThinking,
  kInputType,
  kInputPadding,
  kInputUnion,
  // RKLLMMultiModalInput, from the start of the union
  kMultimodalSize,
  kImageCount,
  kImageWidth,
  kImageTags,
  kVideo,
  kAudio,
  // RKLLMInferParam
  kInferSize,
  kSamplingParams,
  kKeepHistory,
  kInferMaxNewTokens,
  // RKLLMResult
  kResultSize,
  kLogits,
  kPerf,
  kCount
};

constexpr int kAbsent = -1;

namespace table {

struct Row {
  Field field;
  int at[6];
};

// clang-format off
constexpr Row kRows[] = {
    //                         G1   G2  G2b   G3   G4   G5
    {Field::kParamSize,        {200, 208, 208, 208, 184, 184}},
    {Field::kNKeep,            { -1,  20,  20,  20,  20,  20}},
    {Field::kTopP,             { 20,  24,  24,  24,  24,  24}},
    {Field::kSkipSpecialToken, { 52,  56,  56,  56,  56,  56}},
    {Field::kIgnoreEosToken,   { -1,  -1,  -1,  -1,  57,  57}},
    {Field::kIsAsync,          { 53,  57,  57,  57,  58,  58}},
    {Field::kImgStart,         { 56,  64,  64,  64,  -1,  -1}},
    {Field::kImgEnd,           { 64,  72,  72,  72,  -1,  -1}},
    {Field::kImgContent,       { 72,  80,  80,  80,  -1,  -1}},
    {Field::kBaseDomainId,     { 80,  88,  88,  88,  60,  60}},
    {Field::kEmbedFlash,       { -1,  92,  92,  92,  64,  64}},
    {Field::kEnabledCpusNum,   { -1,  93,  93,  93,  65,  65}},
    {Field::kEnabledCpusMask,  { -1,  96,  96,  96,  68,  68}},
    {Field::kNBatch,           { -1,  -1,  -1, 100,  72,  72}},
    {Field::kUseCrossAttn,     { -1,  -1,  -1, 101,  73,  73}},
    {Field::kBooleansEnd,      { 54,  58,  58,  58,  59,  59}},  // padding from here ...
    {Field::kPointersStart,    { 56,  64,  64,  64,  60,  60}},  // ... to here
    {Field::kReserved,         { 84, 100, 100, 102,  74,  74}},  // with the padding behind it
    {Field::kInputSize,        { 32,  32,  56,  64, 160, 208}},
    {Field::kRole,             { -1,  -1,  -1,   0,   0,   0}},
    {Field::kEnableThinking,   { -1,  -1,  -1,   8,   8,   8}},
    {Field::kInputType,        {  0,   0,   0,  12,  12,  12}},
    {Field::kInputPadding,     {  4,   4,   4,   9,   9,   9}},  // up to the next field
    {Field::kInputUnion,       {  8,   8,   8,  16,  16,  16}},
    {Field::kMultimodalSize,   { 24,  24,  48,  48, 144, 192}},
    {Field::kImageCount,       { -1,  -1,  24,  24,  24,  24}},
    {Field::kImageWidth,       { -1,  -1,  32,  32,  56,  56}},
    {Field::kImageTags,        { -1,  -1,  -1,  -1,  32,  32}},
    {Field::kVideo,            { -1,  -1,  -1,  -1,  72,  72}},
    {Field::kAudio,            { -1,  -1,  -1,  -1,  -1, 144}},
    {Field::kInferSize,        { 24,  32,  32,  32,  40,  40}},
    {Field::kSamplingParams,   { -1,  -1,  -1,  -1,  24,  24}},
    {Field::kKeepHistory,      { -1,  24,  24,  24,  32,  32}},
    {Field::kInferMaxNewTokens,{ -1,  -1,  -1,  -1,  36,  36}},
    {Field::kResultSize,       { 32,  48,  48,  72,  72,  72}},
    {Field::kLogits,           { -1,  32,  32,  32,  32,  32}},
    {Field::kPerf,             { -1,  -1,  -1,  48,  48,  48}},
};
// clang-format on

constexpr bool IsInOrder() {
  int expected = 0;
  for (const Row& row : kRows) {
    if (static_cast<int>(row.field) != expected++) return false;
  }
  return expected == static_cast<int>(Field::kCount);
}
static_assert(IsInOrder());

}  // namespace table

constexpr int OffsetIn(Generation generation, Field field) {
  return table::kRows[static_cast<int>(field)].at[static_cast<int>(generation)];
}

inline bool Has(Field field) { return OffsetIn(ThisGeneration(), field) != kAbsent; }

// Of a field that the generation has.
inline std::size_t Offset(Field field) { return static_cast<std::size_t>(OffsetIn(ThisGeneration(), field)); }

}  // namespace fake
