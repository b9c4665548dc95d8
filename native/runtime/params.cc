#include "params.h"

namespace rkllm {

Sampling Merged(const Sampling& under, const Sampling& over) {
  Sampling merged;
  const auto take = [&](auto field) { merged.*field = over.*field ? over.*field : under.*field; };
  take(&Sampling::top_k);
  take(&Sampling::top_p);
  take(&Sampling::temperature);
  take(&Sampling::repeat_penalty);
  take(&Sampling::frequency_penalty);
  take(&Sampling::presence_penalty);
  take(&Sampling::mirostat);
  take(&Sampling::mirostat_tau);
  take(&Sampling::mirostat_eta);
  return merged;
}

Sampling WithGreedyResolved(Sampling sampling) {
  if (sampling.temperature == 0.0F) {
    sampling.top_k = 1;
    sampling.top_p = 1.0F;
    sampling.temperature = 1.0F;
    sampling.mirostat = 0;
  }
  return sampling;
}

}  // namespace rkllm
