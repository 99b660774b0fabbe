#include "reward/device_lane.hpp"

#include <utility>

namespace atl {

Expected<Frame> load_task_frame(const DeviceOrder& order) {
    Frame frame;
    frame.type = FrameType::load_task;
    frame.payload =
        to_json(LoadTask{order.task->folder.string(), order.task->digest, order.task->kind});
    ATOLL_TRY_ASSIGN(FileHandle oracle, duplicate_handle(*order.oracle));
    frame.handles.push_back(std::move(oracle));
    return frame;
}

Expected<Frame> evaluate_frame(const DeviceOrder& order, const EvaluateOrder& completed) {
    Frame frame;
    frame.type = FrameType::evaluate;
    frame.payload = to_json(completed);
    for (const std::shared_ptr<const FileHandle>& binary : order.binaries) {
        ATOLL_TRY_ASSIGN(FileHandle copy, duplicate_handle(*binary));
        frame.handles.push_back(std::move(copy));
    }
    return frame;
}

}  // namespace atl
