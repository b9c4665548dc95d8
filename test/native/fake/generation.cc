// What differs between the libraries of one generation: the version they state, and how they fill their defaults.
// Compiled once for each library.
#include <unistd.h>

#include <cstdlib>

#include "layout.h"
#include "memory.h"
#include "version.h"

namespace fake {
namespace {

#ifdef FAKE_VERSION
__attribute__((used)) const char version[] = "RKLLM SDK (version: " FAKE_VERSION " | target: Linux | build: fake)";
#endif

constexpr Generation kThis = static_cast<Generation>(FAKE_GENERATION);

struct DefaultParam {
  alignas(8) unsigned char bytes[OffsetIn(kThis, Field::kParamSize)];
};

constexpr bool Known(Field field) { return OffsetIn(kThis, field) != kAbsent; }

// A value at an offset, if this generation has the field.
template <typename T>
void Set(DefaultParam& param, Field field, T value) {
  if (Known(field)) WriteAt<T>(param.bytes, Offset(field), value);
}

int OnlineCpus() {
  const char* pretended = std::getenv("FAKE_RKLLM_CPUS");
  return pretended != nullptr ? std::atoi(pretended) : static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
}

}  // namespace

Generation ThisGeneration() { return kThis; }

const char* LoggedVersion() {
#ifdef FAKE_VERSION
  return FAKE_VERSION;
#else
  return "unknown";
#endif
}

}  // namespace fake

// Written field by field, like the vendor's: what is no field keeps what the caller's memory held, and so does the CPU
// mask on a host with neither 4 nor 8 CPUs. With FAKE_RKLLM_DIRTY_DEFAULTS=1 it is garbage instead, as it is when the
// compiler goes through a temporary. Built with FAKE_ZEROED it is zero.
extern "C" __attribute__((visibility("default"))) fake::DefaultParam rkllm_createDefaultParam(void);
fake::DefaultParam rkllm_createDefaultParam(void) {
  using fake::Field;
  fake::DefaultParam param;  // NOLINT(cppcoreguidelines-pro-type-member-init): not to touch what is no field
  const char* dirty = std::getenv("FAKE_RKLLM_DIRTY_DEFAULTS");
  if (dirty != nullptr && *dirty == '1') std::memset(param.bytes, 0xAA, sizeof(param.bytes));
#ifdef FAKE_ZEROED
  std::memset(param.bytes, 0, sizeof(param.bytes));
#endif
  fake::WriteAt<const char*>(param.bytes, 0, nullptr);
  fake::WriteAt<std::int32_t>(param.bytes, 8, 512);
  fake::WriteAt<std::int32_t>(param.bytes, 12, -1);
  fake::WriteAt<std::int32_t>(param.bytes, 16, 40);
  fake::Set<std::int32_t>(param, Field::kNKeep, -1);
  const std::size_t top_p = fake::Offset(Field::kTopP);
  fake::WriteAt<float>(param.bytes, top_p, 0.9F);
  fake::WriteAt<float>(param.bytes, top_p + 4, 0.8F);
  fake::WriteAt<float>(param.bytes, top_p + 8, 1.1F);
  fake::WriteAt<float>(param.bytes, top_p + 12, 0.0F);
  fake::WriteAt<float>(param.bytes, top_p + 16, 0.0F);
  fake::WriteAt<std::int32_t>(param.bytes, top_p + 20, 0);
  fake::WriteAt<float>(param.bytes, top_p + 24, 5.0F);
  fake::WriteAt<float>(param.bytes, top_p + 28, 0.1F);
  fake::Set<unsigned char>(param, Field::kSkipSpecialToken, 1);
  fake::Set<unsigned char>(param, Field::kIgnoreEosToken, 0);
  fake::Set<unsigned char>(param, Field::kIsAsync, 0);
  fake::Set<const char*>(param, Field::kImgStart, "");
  fake::Set<const char*>(param, Field::kImgEnd, "");
  fake::Set<const char*>(param, Field::kImgContent, "");
  fake::Set<std::int32_t>(param, Field::kBaseDomainId, 0);
  fake::Set<unsigned char>(param, Field::kEmbedFlash, 1);
  fake::Set<unsigned char>(param, Field::kEnabledCpusNum, 4);
  const int cpus = fake::OnlineCpus();
  if (cpus == 8) fake::Set<std::uint32_t>(param, Field::kEnabledCpusMask, 0xF0);
  if (cpus == 4) fake::Set<std::uint32_t>(param, Field::kEnabledCpusMask, 0x0F);
  fake::Set<unsigned char>(param, Field::kNBatch, 1);
  fake::Set<unsigned char>(param, Field::kUseCrossAttn, 0);
  return param;
}
