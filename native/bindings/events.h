// What JavaScript gets to see: notices as event objects, tokens as typed arrays. Plain Node-API, since these run while
// an environment may be going away: a call that fails then leaves a field out, where node-addon-api would try to make
// a JavaScript error, which ends the process.
#pragma once

#include <node_api.h>

#include "../session/model.h"
#include "../session/token_batch.h"

namespace rkllm {

// The shapes are declared in lib/backends/rkllm/addon.ts. nullptr when the environment cannot make objects any more.
napi_value ToEvent(napi_env env, const Notice& notice);

// One ArrayBuffer with three views, filled with one copy each. nullptr (undefined in JavaScript) as above.
napi_value ToTokens(napi_env env, const TokenBatch& batch);

}  // namespace rkllm
