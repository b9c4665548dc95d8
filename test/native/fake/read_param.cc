#include <bitset>
#include <sstream>

#include "arguments.h"
#include "checker.h"
#include "layout.h"
#include "memory.h"
#include "report.h"

namespace fake {
namespace {

std::int32_t Byte(const void* param, Field field) { return ReadAt<std::int8_t>(param, Offset(field)); }

// The CPU mask has as many bits as there are CPUs (reference 3.10).
void ReadCpus(const void* param, Checker& check, InitArguments& arguments) {
  const std::int32_t count = Byte(param, Field::kEnabledCpusNum);
  const auto mask = ReadAt<std::uint32_t>(param, Offset(Field::kEnabledCpusMask));
  check.ExpectZero(param, Offset(Field::kEnabledCpusNum) + 1, Offset(Field::kEnabledCpusMask), "padding");
  check.Expect(count >= 1 && count <= 8, "enabled_cpus_num is " + std::to_string(count));
  check.Expect(mask <= 0xFF, "enabled_cpus_mask has bits beyond CPU7");
  check.Expect(static_cast<int>(std::bitset<32>(mask).count()) == count,
               "enabled_cpus_mask " + std::to_string(mask) + " does not hold " + std::to_string(count) + " CPUs");
  arguments.enabled_cpus = count;
  arguments.cpu_mask = mask;
}

void ReadExtension(const void* param, Checker& check, InitArguments& arguments) {
  check.Expect(ReadAt<std::int32_t>(param, Offset(Field::kBaseDomainId)) >= 0, "base_domain_id is negative");
  if (Has(Field::kEmbedFlash)) {
    check.ExpectFlag(param, Offset(Field::kEmbedFlash), 1, "embed_flash");
    ReadCpus(param, check, arguments);
  }
  if (Has(Field::kNBatch)) {
    const auto n_batch = ReadAt<std::uint8_t>(param, Offset(Field::kNBatch));
    check.Expect(n_batch >= 1 && n_batch <= 100, "n_batch is " + std::to_string(n_batch));
    arguments.n_batch = n_batch;
    check.ExpectFlag(param, Offset(Field::kUseCrossAttn), 1, "use_cross_attn");
    arguments.use_cross_attn = Byte(param, Field::kUseCrossAttn) == 1;
  }
  check.ExpectZero(param, Offset(Field::kReserved), Offset(Field::kParamSize), "reserved or the padding behind it");
}

std::string Summary(const void* param, const InitArguments& arguments) {
  std::ostringstream out;
  out << "max_context_len=" << arguments.max_context_len << " max_new_tokens=" << arguments.max_new_tokens
      << " top_k=" << ReadAt<std::int32_t>(param, 16);
  if (Has(Field::kNKeep)) out << " n_keep=" << arguments.n_keep;
  out << ' ' << SamplingSummary(param, Offset(Field::kTopP))
      << " base_domain_id=" << ReadAt<std::int32_t>(param, Offset(Field::kBaseDomainId));
  if (Has(Field::kEmbedFlash)) {
    out << " embed_flash=" << Byte(param, Field::kEmbedFlash) << " enabled_cpus_num=" << arguments.enabled_cpus
        << " enabled_cpus_mask=" << arguments.cpu_mask;
  }
  if (Has(Field::kNBatch)) out << " n_batch=" << arguments.n_batch << " use_cross_attn=" << arguments.use_cross_attn;
  if (Has(Field::kIgnoreEosToken)) out << " ignore_eos_token=" << arguments.ignore_eos_token;
  if (!arguments.skip_special_token) out << " skip_special_token=0";
  const std::pair<Field, const char*> texts[] = {
      {Field::kImgStart, "img_start"}, {Field::kImgEnd, "img_end"}, {Field::kImgContent, "img_content"}};
  for (const auto& [field, name] : texts) {
    if (!Has(field)) continue;
    const char* text = ReadAt<const char*>(param, Offset(field));
    if (*text != '\0') out << ' ' << name << '=' << Quoted(text);
  }
  return out.str();
}

}  // namespace

bool ReadParam(const void* param, InitArguments& arguments) {
  Checker check("RKLLMParam");
  check.Expect(param != nullptr, "is NULL");
  if (param == nullptr) return false;
  check.ExpectAligned(param);
  check.ExpectFlag(param, Offset(Field::kSkipSpecialToken), 1, "skip_special_token");
  if (Has(Field::kIgnoreEosToken)) {
    check.ExpectFlag(param, Offset(Field::kIgnoreEosToken), 1, "ignore_eos_token");
    arguments.ignore_eos_token = Byte(param, Field::kIgnoreEosToken) == 1;
  }
  check.Expect(Byte(param, Field::kIsAsync) == 0, "is_async is not 0");
  check.ExpectZero(param, Offset(Field::kBooleansEnd), Offset(Field::kPointersStart), "padding");
  for (const Field field : {Field::kImgStart, Field::kImgEnd, Field::kImgContent}) {
    if (!Has(field)) continue;
    check.Expect(ReadAt<const char*>(param, Offset(field)) != nullptr,
                 "img_* at byte " + std::to_string(Offset(field)) + " is NULL");
  }
  ReadExtension(param, check, arguments);
  const char* path = ReadAt<const char*>(param, 0);
  check.Expect(path != nullptr, "model_path is NULL");
  arguments.max_context_len = ReadAt<std::int32_t>(param, 8);
  arguments.max_new_tokens = ReadAt<std::int32_t>(param, 12);
  if (Has(Field::kNKeep)) {
    arguments.n_keep = ReadAt<std::int32_t>(param, Offset(Field::kNKeep));
    check.Expect(arguments.n_keep >= -1, "n_keep is " + std::to_string(arguments.n_keep));
  }
  arguments.skip_special_token = Byte(param, Field::kSkipSpecialToken) == 1;
  check.Expect(arguments.max_context_len > 0, "max_context_len is not positive");
  check.Expect(arguments.max_new_tokens >= -1, "max_new_tokens is below -1");
  check.ExpectSampling(param, 16, Offset(Field::kTopP));
  if (!check.fine()) return false;
  arguments.model_path = path;
  arguments.summary = Summary(param, arguments);
  return true;
}

}  // namespace fake
