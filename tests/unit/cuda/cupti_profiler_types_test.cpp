#include "reward/cuda/cupti_profiler_types.hpp"

#include <gtest/gtest.h>

#if __has_include(<cupti_profiler_host.h>) && __has_include(<cupti_range_profiler.h>)

#include <cupti.h>
#include <cupti_profiler_host.h>
#include <cupti_profiler_target.h>
#include <cupti_range_profiler.h>
#include <cupti_target.h>

namespace atl {
namespace {

#define SAME_PLACE(ours, field, theirs, their_field)                               \
    static_assert(offsetof(cupti::ours, field) == offsetof(theirs, their_field) && \
                  sizeof(cupti::ours::field) == sizeof(theirs::their_field))
#define SAME_SIZE(ours, theirs)                           \
    static_assert(sizeof(cupti::ours) == sizeof(theirs)); \
    static_assert(cupti::ours{}.size == theirs##_STRUCT_SIZE)

SAME_SIZE(InitializeParameters, CUpti_Profiler_Initialize_Params);
SAME_SIZE(ChipNameParameters, CUpti_Device_GetChipName_Params);
SAME_PLACE(ChipNameParameters, device, CUpti_Device_GetChipName_Params, deviceIndex);
SAME_PLACE(ChipNameParameters, name, CUpti_Device_GetChipName_Params, pChipName);
SAME_SIZE(HostInitializeParameters, CUpti_Profiler_Host_Initialize_Params);
SAME_PLACE(HostInitializeParameters, type, CUpti_Profiler_Host_Initialize_Params, profilerType);
SAME_PLACE(HostInitializeParameters, chip, CUpti_Profiler_Host_Initialize_Params, pChipName);
SAME_PLACE(HostInitializeParameters, availability, CUpti_Profiler_Host_Initialize_Params,
           pCounterAvailabilityImage);
SAME_PLACE(HostInitializeParameters, host, CUpti_Profiler_Host_Initialize_Params, pHostObject);
SAME_SIZE(HostDeinitializeParameters, CUpti_Profiler_Host_Deinitialize_Params);
SAME_SIZE(HostAddMetricsParameters, CUpti_Profiler_Host_ConfigAddMetrics_Params);
SAME_PLACE(HostAddMetricsParameters, names, CUpti_Profiler_Host_ConfigAddMetrics_Params,
           ppMetricNames);
SAME_PLACE(HostAddMetricsParameters, count, CUpti_Profiler_Host_ConfigAddMetrics_Params,
           numMetrics);
SAME_SIZE(HostConfigSizeParameters, CUpti_Profiler_Host_GetConfigImageSize_Params);
SAME_PLACE(HostConfigSizeParameters, bytes, CUpti_Profiler_Host_GetConfigImageSize_Params,
           configImageSize);
SAME_SIZE(HostConfigParameters, CUpti_Profiler_Host_GetConfigImage_Params);
SAME_PLACE(HostConfigParameters, bytes, CUpti_Profiler_Host_GetConfigImage_Params, configImageSize);
SAME_PLACE(HostConfigParameters, image, CUpti_Profiler_Host_GetConfigImage_Params, pConfigImage);
SAME_SIZE(HostPassesParameters, CUpti_Profiler_Host_GetNumOfPasses_Params);
SAME_PLACE(HostPassesParameters, image, CUpti_Profiler_Host_GetNumOfPasses_Params, pConfigImage);
SAME_PLACE(HostPassesParameters, passes, CUpti_Profiler_Host_GetNumOfPasses_Params, numOfPasses);
SAME_SIZE(HostEvaluateParameters, CUpti_Profiler_Host_EvaluateToGpuValues_Params);
SAME_PLACE(HostEvaluateParameters, data, CUpti_Profiler_Host_EvaluateToGpuValues_Params,
           pCounterDataImage);
SAME_PLACE(HostEvaluateParameters, data_bytes, CUpti_Profiler_Host_EvaluateToGpuValues_Params,
           counterDataImageSize);
SAME_PLACE(HostEvaluateParameters, range, CUpti_Profiler_Host_EvaluateToGpuValues_Params,
           rangeIndex);
SAME_PLACE(HostEvaluateParameters, names, CUpti_Profiler_Host_EvaluateToGpuValues_Params,
           ppMetricNames);
SAME_PLACE(HostEvaluateParameters, count, CUpti_Profiler_Host_EvaluateToGpuValues_Params,
           numMetrics);
SAME_PLACE(HostEvaluateParameters, values, CUpti_Profiler_Host_EvaluateToGpuValues_Params,
           pMetricValues);
SAME_SIZE(EnableParameters, CUpti_RangeProfiler_Enable_Params);
SAME_PLACE(EnableParameters, context, CUpti_RangeProfiler_Enable_Params, ctx);
SAME_PLACE(EnableParameters, profiler, CUpti_RangeProfiler_Enable_Params, pRangeProfilerObject);
SAME_SIZE(ProfilerParameters, CUpti_RangeProfiler_Disable_Params);
SAME_SIZE(ProfilerParameters, CUpti_RangeProfiler_Start_Params);
SAME_PLACE(ProfilerParameters, profiler, CUpti_RangeProfiler_Start_Params, pRangeProfilerObject);
SAME_SIZE(DataSizeParameters, CUpti_RangeProfiler_GetCounterDataSize_Params);
SAME_PLACE(DataSizeParameters, names, CUpti_RangeProfiler_GetCounterDataSize_Params, pMetricNames);
SAME_PLACE(DataSizeParameters, count, CUpti_RangeProfiler_GetCounterDataSize_Params, numMetrics);
SAME_PLACE(DataSizeParameters, most_ranges, CUpti_RangeProfiler_GetCounterDataSize_Params,
           maxNumOfRanges);
SAME_PLACE(DataSizeParameters, most_nodes, CUpti_RangeProfiler_GetCounterDataSize_Params,
           maxNumRangeTreeNodes);
SAME_PLACE(DataSizeParameters, bytes, CUpti_RangeProfiler_GetCounterDataSize_Params,
           counterDataSize);
SAME_SIZE(DataInitializeParameters, CUpti_RangeProfiler_CounterDataImage_Initialize_Params);
SAME_PLACE(DataInitializeParameters, bytes, CUpti_RangeProfiler_CounterDataImage_Initialize_Params,
           counterDataSize);
SAME_PLACE(DataInitializeParameters, data, CUpti_RangeProfiler_CounterDataImage_Initialize_Params,
           pCounterData);
SAME_SIZE(SetConfigParameters, CUpti_RangeProfiler_SetConfig_Params);
SAME_PLACE(SetConfigParameters, config_bytes, CUpti_RangeProfiler_SetConfig_Params, configSize);
SAME_PLACE(SetConfigParameters, config, CUpti_RangeProfiler_SetConfig_Params, pConfig);
SAME_PLACE(SetConfigParameters, data_bytes, CUpti_RangeProfiler_SetConfig_Params,
           counterDataImageSize);
SAME_PLACE(SetConfigParameters, data, CUpti_RangeProfiler_SetConfig_Params, pCounterDataImage);
SAME_PLACE(SetConfigParameters, range, CUpti_RangeProfiler_SetConfig_Params, range);
SAME_PLACE(SetConfigParameters, replay, CUpti_RangeProfiler_SetConfig_Params, replayMode);
SAME_PLACE(SetConfigParameters, ranges_per_pass, CUpti_RangeProfiler_SetConfig_Params,
           maxRangesPerPass);
SAME_PLACE(SetConfigParameters, levels, CUpti_RangeProfiler_SetConfig_Params, numNestingLevels);
SAME_PLACE(SetConfigParameters, least_level, CUpti_RangeProfiler_SetConfig_Params, minNestingLevel);
SAME_PLACE(SetConfigParameters, pass, CUpti_RangeProfiler_SetConfig_Params, passIndex);
SAME_PLACE(SetConfigParameters, target_level, CUpti_RangeProfiler_SetConfig_Params,
           targetNestingLevel);
SAME_SIZE(StopParameters, CUpti_RangeProfiler_Stop_Params);
SAME_PLACE(StopParameters, all_passes, CUpti_RangeProfiler_Stop_Params, isAllPassSubmitted);
SAME_SIZE(DecodeParameters, CUpti_RangeProfiler_DecodeData_Params);
SAME_PLACE(DecodeParameters, dropped, CUpti_RangeProfiler_DecodeData_Params, numOfRangeDropped);
SAME_SIZE(DataInfoParameters, CUpti_RangeProfiler_GetCounterDataInfo_Params);
SAME_PLACE(DataInfoParameters, data, CUpti_RangeProfiler_GetCounterDataInfo_Params,
           pCounterDataImage);
SAME_PLACE(DataInfoParameters, ranges, CUpti_RangeProfiler_GetCounterDataInfo_Params,
           numTotalRanges);

TEST(CuptiProfilerTypes, NumbersAreThoseOfTheHeaders) {
    EXPECT_EQ(cupti::k_insufficient_privileges, CUPTI_ERROR_INSUFFICIENT_PRIVILEGES);
    EXPECT_EQ(cupti::k_range_profiling, CUPTI_PROFILER_TYPE_RANGE_PROFILER);
    EXPECT_EQ(cupti::k_range_per_kernel, CUPTI_AutoRange);
    EXPECT_EQ(cupti::k_replay_kernels, CUPTI_KernelReplay);
}

}  // namespace
}  // namespace atl

#else

TEST(CuptiProfilerTypes, NumbersAreThoseOfTheHeaders) {
    GTEST_SKIP() << "there are no headers of CUPTI to hold our declarations against";
}

#endif
