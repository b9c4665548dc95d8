// What happens to loaded models when the process exits without tearing its environments down (process.exit()).
#pragma once

#include <memory>

namespace rkllm {

class Library;
class Model;

// Has `model` disposed of, with a time limit, before the vendor library's own exit handlers and static destructors
// run: those would otherwise pull the ground from under a running inference. Handlers run in reverse order, so there is
// one from when a library has been loaded, and one from when it has been initialized. They concern all models, so one
// of each is enough for a library, however often it is used. Inference thread.
void GuardExit(std::weak_ptr<Model> model, const Library& library);
// Every time after GuardExit(), when `library` has initialized a model.
void GuardExitAfterInit(const Library& library);

}  // namespace rkllm
