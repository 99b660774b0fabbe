#include "reward/candidate_files.hpp"
#include "reward/cuda/front_end.hpp"
#include "reward/cuda/plan.hpp"
#include "reward/cuda/recorder.hpp"
#include "reward/cuda/recorder_trial.hpp"
#include "reward/cuda/recording_source.hpp"
#include "reward/cuda/toolkit.hpp"
#include "reward/task.hpp"
#include "tools/atoll/exit_codes.hpp"
#include "tools/atoll/output.hpp"
#include "tools/atoll/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace atl {

namespace {

constexpr const char* k_footer = R"(Examples:
  atoll plan my_softmax.cu --task softmax              what launch() asks for, per public workload
  atoll plan my_softmax.cu --task softmax --json       one object on standard output
  atoll plan my_softmax.cu --task softmax --arch sm_80
  atoll plan my_softmax.ptx --task softmax             the plan that stands in a .ptx or .cubin.json

The launcher is compiled for the host and run in the CPU jail; no GPU and no CUDA is needed. Where
NVRTC is installed (`atoll doctor`), kernels are compiled too and plans checked against them: their
parameters, registers and static shared memory. The plan of a .ptx or .cubin.json needs NVRTC and, of
PTX, nvJitLink.

Exit status: 0 there is a plan for each workload, 1 the launcher is at fault, 2 usage, 3 a fault of
this machine's set-up.)";

struct Arguments {
    std::string file;
    std::string task;
    std::string arch = "sm_90a";
    bool json = false;
};

std::vector<const Workload*> public_workloads(const Task& task) {
    std::vector<const Workload*> all;
    for (const Workload& workload : task.workloads) {
        if (!workload.hidden) {
            all.push_back(&workload);
        }
    }
    return all;
}

/// The first plan that the device cannot carry out becomes the reply's fault.
void check_plans(const RecordRequest& request, RecordReply& reply) {
    for (std::size_t i = 0; i < reply.plans.size() && !reply.fault; ++i) {
        if (const Status status = check_plan(reply.plans[i], request.device); !status) {
            reply.fault = RecordFault{Outcome::rejected, 0, status.error().message()};
            reply.workload = request.workloads[i]->id;
        }
    }
}

/// What is known of the kernels.
struct KernelCheck {
    bool done = false;
    std::string why_not;
    double seconds = 0;  ///< of their compiler
};

Expected<std::unique_ptr<CudaFrontEnd>> make_front_end(const DeviceLimits& device) {
    const CudaToolkit toolkit = find_cuda_toolkit();
    if (!toolkit.nvrtc || toolkit.include.empty()) {
        return failure(ErrorCode::unavailable, "there is no NVRTC with CUDA's headers");
    }
    FrontEndOptions options;
    options.device = device;
    options.device_compiler.nvrtc = toolkit.nvrtc->path;
    options.device_compiler.jit_link = toolkit.jit_link ? toolkit.jit_link->path : "";
    options.device_compiler.include = toolkit.include;
    options.device_compiler.cutlass = toolkit.cutlass;
    options.device_compiler.cutlass_version = toolkit.cutlass_version;
    options.device_compiler.architecture = device.arch;
    return CudaFrontEnd::make(std::move(options));
}

SourceForm form_of(const std::string& kind) {
    return kind == "ptx" ? SourceForm::ptx : kind == "cubin" ? SourceForm::cubin : SourceForm::cuda;
}

/// Plans as they are once kernels are compiled, or the fault that shows then.
KernelCheck check_kernels(const TaskPtr& task, const Candidate& candidate,
                          const DeviceLimits& device, RecordReply& reply) {
    const auto front_end = make_front_end(device);
    if (!front_end) {
        return {false, front_end.error().message()};
    }
    FrontEndRequest order;
    order.task = task;
    order.form = form_of(candidate.kind);
    order.source = candidate.source;
    FrontEndReply prepared = value_or_end((*front_end)->prepare(order));
    if (prepared.fault) {
        reply.fault = RecordFault{*prepared.fault, 0, std::move(prepared.reason)};
        reply.compile_log = std::move(prepared.log);
    }
    reply.plans.clear();
    for (auto& [workload, plan] : prepared.plans) {
        reply.plans.push_back(std::move(plan));
    }
    return {true, "", prepared.device_compile_seconds};
}

std::string report_text(const RecordRequest& request, const RecordReply& reply,
                        const KernelCheck& kernels, bool has_launcher) {
    std::string text;
    if (reply.fault) {
        text = fmt::format(
            "{}{}{}: {}\n", to_string(reply.fault->outcome),
            reply.workload.empty() ? "" : " for workload " + reply.workload,
            reply.fault->line > 0 ? fmt::format(" in line {}", reply.fault->line) : std::string(),
            reply.fault->reason);
        return text + reply.compile_log;
    }
    for (std::size_t i = 0; i < reply.plans.size(); ++i) {
        const Workload& workload = *request.workloads[i];
        text += workload.id + ":";
        for (const auto& [name, value] : workload.axes) {
            text += fmt::format(" {}={}", name, value);
        }
        text += "\n" + to_text(reply.plans[i]);
        if (reply.plans[i].steps.empty()) {
            text += "    nothing is asked for, so no output is written\n";
        }
    }
    text += kernels.done ? fmt::format("kernels compiled in {:.0f} ms\n", kernels.seconds * 1e3)
                         : "kernels were not compiled: " + kernels.why_not + "\n";
    if (!has_launcher) {
        return text;
    }
    return text + fmt::format("launcher compiled in {:.0f} ms, recorded in {:.0f} ms for {}\n",
                              reply.compile_seconds * 1e3, reply.record_seconds * 1e3,
                              request.device.name);
}

std::string report_json(const RecordRequest& request, const RecordReply& reply,
                        const KernelCheck& kernels) {
    nlohmann::json json{{"device", request.device.name},
                        {"arch", request.device.arch},
                        {"compile_seconds", reply.compile_seconds},
                        {"record_seconds", reply.record_seconds},
                        {"kernels_compiled", kernels.done},
                        {"compile_log", reply.compile_log}};
    if (reply.fault) {
        json["fault"] = {{"outcome", to_string(reply.fault->outcome)},
                         {"line", reply.fault->line},
                         {"reason", reply.fault->reason},
                         {"workload", reply.workload}};
    } else {
        json["workloads"] = nlohmann::json::array();
        for (std::size_t i = 0; i < reply.plans.size(); ++i) {
            json["workloads"].push_back({{"workload", request.workloads[i]->id},
                                         {"axes", request.workloads[i]->axes},
                                         {"plan", nlohmann::json::parse(to_json(reply.plans[i]))}});
        }
    }
    return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string printable_lines(std::string text) {
    for (char& c : text) {
        c = (c >= ' ' && c <= '~') || c == '\n' ? c : '?';
    }
    return text;
}

int run(const Arguments& arguments) {
    const TaskPtr task = value_or_end(load_task(value_or_end(find_task(arguments.task)), "cuda"));
    Candidate candidate;
    value_or_end(read_candidate(arguments.file, candidate));
    if (!candidate.files.empty()) {
        end_with({ErrorCode::invalid_argument, "is a folder", arguments.file, "name a .cu file"});
    }
    candidate.kind = kind_of_file(arguments.file);
    const bool has_launcher = form_of(candidate.kind) == SourceForm::cuda;
    RecordRequest request;
    request.task = task.get();
    request.workloads = public_workloads(*task);
    request.device = *device_limits_of(arguments.arch);
    RecordReply reply;
    if (has_launcher) {
        request.host_source = recording_source(*task, split_cuda_source(candidate.source));
        const auto recorder = value_or_end(Recorder::create({}));
        value_or_end(try_recorder(*recorder, request.device));
        reply = value_or_end(recorder->record(request));
        check_plans(request, reply);
    }
    KernelCheck kernels;
    if (!reply.fault) {
        kernels = check_kernels(task, candidate, request.device, reply);
    }
    if (!has_launcher && !kernels.done) {
        end_with({ErrorCode::unavailable, kernels.why_not, arguments.file,
                  "install NVRTC; `atoll doctor` shows where it is looked for"});
    }
    print(arguments.json ? report_json(request, reply, kernels)
                         : printable_lines(report_text(request, reply, kernels, has_launcher)));
    return reply.fault ? k_exit_failed : k_exit_ok;
}

std::string refuse_unknown_arch(const std::string& arch) {
    return device_limits_of(arch)
               ? ""
               : "must be sm_80, sm_90, sm_90a, sm_100 or sm_100a, not '" + arch + "'";
}

}  // namespace

void add_plan_verb(CLI::App& app, VerbContext& context) {
    CLI::App* verb =
        app.add_subcommand("plan", "Show what a CUDA candidate asks for, without a GPU");
    verb->footer(k_footer);
    const auto arguments = std::make_shared<Arguments>();
    verb->add_option("FILE", arguments->file,
                     "A .cu file with kernels and launch(), or a .ptx or .cubin.json")
        ->required();
    verb->add_option("--task", arguments->task, "Name or folder of a task")->required();
    verb->add_option("--arch", arguments->arch, "Device that queries and limits are answered for")
        ->check(refuse_unknown_arch)
        ->capture_default_str();
    verb->add_flag("--json", arguments->json, "Print one JSON object");
    verb->callback([arguments, &context] { context.exit_status = run(*arguments); });
}

}  // namespace atl
