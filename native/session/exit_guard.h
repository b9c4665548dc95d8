// What happens to loaded models when the process exits without tearing its environments down (process.exit()).
#pragma once

#include <memory>

namespace rkllm {

class Model;

// Has `model` disposed of, with a time limit, before the vendor library's own exit handlers and static destructors
// run: those would otherwise pull the ground from under a running inference. Handlers run in reverse order, so this is
// called after the library has been loaded, and again after it has been initialized. Inference thread.
void GuardExit(std::weak_ptr<Model> model);

}  // namespace rkllm
