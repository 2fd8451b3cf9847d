// The weights scheme "vissl": VISSL's model zoo by short names, METHOD_TRUNK_EPOCHS_….
#include <vissl/plugin.hpp>
#include <vissl/weights_scheme.hpp>

#include "tables.hpp"

namespace {

using model_zoos::Entry;

// ImageNet-1K and VISSL's usual crops unless the name says otherwise.
constexpr Entry kModels[] = {
    {"supervised_rn50_caffe2", "converted_vissl_rn50_supervised_in1k_caffe2.torch"},
    {"supervised_rn50_caffe2_places205", "converted_vissl_rn50_supervised_places205_caffe2.torch"},
    {"supervised_alexnet_caffe2", "converted_caffenet_bvlc_in1k_supervised.torch"},
    {"supervised_rn50_105ep",
     "sup_rn50_in1k_ep105_supervised_8gpu_resnet_17_07_20.733dbdee/"
     "model_final_checkpoint_phase208.torch"},
    {"supervised_vit_b16_in22k", "baselines/vit_b16_p16_in22k_ep90_supervised.torch"},
    {"supervised_regnety64gf_bgr",
     "sup_regnet64/imnetlabels_regnety64gf_3_vissl_converted_bgr.torch"},
    {"supervised_regnety128gf_bgr",
     "sup_regnet128_in1k/imnetlabels_regnety128gf_vissl_converted_bgr.torch"},
    {"semi_supervised_rn50", "converted_vissl_rn50_semi_sup_08389792.torch"},
    {"semi_weakly_supervised_rn50", "converted_vissl_rn50_semi_weakly_sup_16a12f1b.torch"},
    {"jigsaw_rn50_100perm",
     "jigsaw_rn50_in1k_ep105_perm2k_jigsaw_8gpu_resnet_17_07_20.db174a43/"
     "model_final_checkpoint_phase104.torch"},
    {"jigsaw_rn50_2kperm",
     "jigsaw_rn50_in1k_ep105_perm2k_jigsaw_8gpu_resnet_17_07_20.cccee144/"
     "model_final_checkpoint_phase104.torch"},
    {"jigsaw_rn50_10kperm",
     "jigsaw_rn50_in1k_ep105_perm2k_jigsaw_8gpu_resnet_20_07_20.3d706467/"
     "model_final_checkpoint_phase104.torch"},
    {"jigsaw_rn50_2kperm_in22k", "converted_vissl_jigsaw_rn50_perm2k_in22k_8gpu_ep105.torch"},
    {"jigsaw_rn50_goyal19", "converted_vissl_rn50_jigsaw_in1k_goyal19.torch"},
    {"jigsaw_rn50_goyal19_in22k", "converted_vissl_rn50_jigsaw_in22k_goyal19.torch"},
    {"jigsaw_rn50_goyal19_yfcc100m", "converted_vissl_rn50_jigsaw_yfcc100m_goyal19.torch"},
    {"jigsaw_alexnet_goyal19", "converted_alexnet_jigsaw_in1k_pretext.torch"},
    {"jigsaw_alexnet_goyal19_in22k", "converted_alexnet_jigsaw_in22k_pretext.torch"},
    {"jigsaw_alexnet_goyal19_yfcc100m", "converted_alexnet_jigsaw_yfcc100m_pretext.torch"},
    {"colorization_rn50_goyal19", "converted_vissl_rn50_colorization_in1k_goyal19.torch"},
    {"colorization_rn50_goyal19_in22k", "converted_vissl_rn50_colorization_in22k_goyal19.torch"},
    {"colorization_rn50_goyal19_yfcc100m",
     "converted_vissl_rn50_colorization_yfcc100m_goyal19.torch"},
    {"colorization_alexnet_goyal19", "converted_alexnet_colorization_in1k_pretext.torch"},
    {"colorization_alexnet_goyal19_in22k", "converted_alexnet_colorization_in22k_pretext.torch"},
    {"colorization_alexnet_goyal19_yfcc100m",
     "converted_alexnet_colorization_yfcc100m_pretext.torch"},
    {"rotnet_alexnet", "rotnet_alexnet_model_net_epoch50.torch"},
    {"rotnet_rn50_105ep",
     "rotnet_rn50_in1k_ep105_rotnet_8gpu_resnet_17_07_20.46bada9f/"
     "model_final_checkpoint_phase125.torch"},
    {"rotnet_rn50_105ep_in22k", "converted_vissl_rn50_rotnet_in22k_ep105.torch"},
    {"deepcluster_alexnet", "deepcluster_alexnet_checkpoint.torch"},
    {"clusterfit_rn50_rotnet_16k", "converted_vissl_rn50_rotnet_16kclusters_in1k_ep105.torch"},
    {"npid_rn50_oldies", "converted_vissl_rn50_npid_lemniscate_neg4k_stepLR_8gpu.torch"},
    {"npid_rn50_200ep",
     "npid_1node_200ep_4kneg_npid_8gpu_resnet_23_07_20.9eb36512/"
     "model_final_checkpoint_phase199.torch"},
    {"npid_pp_rn50_800ep",
     "npid_pp/4node_800ep_32kneg_cosine_resnet_23_07_20.75432662/"
     "model_final_checkpoint_phase799.torch"},
    {"npid_pp_rn50w2_800ep",
     "npid_4node_800ep_32kneg_cosine_rn50w2_npid++_4nodes_resnet_27_07_20.b7f4016c/"
     "model_final_checkpoint_phase799.torch"},
    {"pirl_rn50_200ep",
     "pirl_jigsaw_4node_200ep_pirl_jigsaw_4node_resnet_22_07_20.ffd17b75/"
     "model_final_checkpoint_phase199.torch"},
    {"pirl_rn50_800ep",
     "pirl_jigsaw_4node_pirl_jigsaw_4node_resnet_22_07_20.34377f59/"
     "model_final_checkpoint_phase799.torch"},
    {"simclr_rn50_100ep",
     "simclr_rn50_100ep_simclr_8node_resnet_16_07_20.8edb093e/"
     "model_final_checkpoint_phase99.torch"},
    {"simclr_rn50_200ep",
     "simclr_rn50_200ep_simclr_8node_resnet_16_07_20.a816c0ef/"
     "model_final_checkpoint_phase199.torch"},
    {"simclr_rn50_400ep",
     "simclr_rn50_400ep_simclr_8node_resnet_16_07_20.36b338ef/"
     "model_final_checkpoint_phase399.torch"},
    {"simclr_rn50_800ep",
     "simclr_rn50_800ep_simclr_8node_resnet_16_07_20.7e8feed1/"
     "model_final_checkpoint_phase799.torch"},
    {"simclr_rn50_1000ep",
     "simclr_rn50_1000ep_simclr_8node_resnet_16_07_20.afe428c7/"
     "model_final_checkpoint_phase999.torch"},
    {"simclr_rn50w2_100ep",
     "simclr_rn50w2_100ep_simclr_8node_resnet_16_07_20.05b37ec3/"
     "model_final_checkpoint_phase99.torch"},
    {"simclr_rn50w2_1000ep",
     "simclr_rn50w2_1000ep_simclr_8node_resnet_16_07_20.e1e3bbf0/"
     "model_final_checkpoint_phase999.torch"},
    {"simclr_rn50w4_1000ep",
     "simclr_rn50w4_1000ep_bs32_16node_simclr_8node_resnet_28_07_20.9e20b0ae/"
     "model_final_checkpoint_phase999.torch"},
    {"simclr_rn101_100ep",
     "simclr_rn101_100ep_simclr_8node_resnet_16_07_20.1ff6cb4b/"
     "model_final_checkpoint_phase99.torch"},
    {"simclr_rn101_1000ep",
     "simclr_rn101_1000ep_simclr_8node_resnet_16_07_20.35063cea/"
     "model_final_checkpoint_phase999.torch"},
    {"simclrv2_rn152w3_sk", "baselines/converted_simclr_v2_r152_3x_sk1_ema.torch"},
    {"byol_rn200w2", "baselines/converted_byol_pretrain_res200w2.torch"},
    {"deepclusterv2_rn50_400ep_2x224", "deepclusterv2_400ep_2x224_pretrain.pth.tar"},
    {"deepclusterv2_rn50_400ep", "deepclusterv2_400ep_pretrain.pth.tar"},
    {"deepclusterv2_rn50_800ep", "deepclusterv2_800ep_pretrain.pth.tar"},
    {"swav_rn50_100ep",
     "swav_in1k_rn50_100ep_swav_8node_resnet_27_07_20.7e6fc6bf/"
     "model_final_checkpoint_phase99.torch"},
    {"swav_rn50_200ep",
     "swav_in1k_rn50_200ep_swav_8node_resnet_27_07_20.bd595bb0/"
     "model_final_checkpoint_phase199.torch"},
    {"swav_rn50_400ep",
     "swav_in1k_rn50_400ep_swav_8node_resnet_27_07_20.a5990fc9/"
     "model_final_checkpoint_phase399.torch"},
    {"swav_rn50_800ep",
     "swav_in1k_rn50_800ep_swav_8node_resnet_27_07_20.a0a6b676/"
     "model_final_checkpoint_phase799.torch"},
    {"swav_rn50_200ep_bs256",
     "swav_4gpu_bs64_200ep_2x224_6x96_queue_swav_8node_resnet_28_07_20.a8f2c735/"
     "model_final_checkpoint_phase199.torch"},
    {"swav_rn50_400ep_bs256",
     "swav_4gpu_bs64_400ep_2x224_6x96_queue_swav_8node_resnet_28_07_20.5e967ca0/"
     "model_final_checkpoint_phase399.torch"},
    {"swav_rn50_400ep_2x224",
     "swav_8node_2x224_rn50_in1k_swav_8node_resnet_30_07_20.c8fd7169/"
     "model_final_checkpoint_phase399.torch"},
    {"swav_rn50w2_400ep",
     "swav_rn50w2_in1k_bs32_16node_400ep_swav_8node_resnet_30_07_20.93563e51/"
     "model_final_checkpoint_phase399.torch"},
    {"swav_rn50w4_400ep",
     "swav_rn50w4_in1k_bs40_8node_400ep_swav_8node_resnet_30_07_20.1736135b/"
     "model_final_checkpoint_phase399.torch"},
    {"swav_rn50w5_300ep", "swav_rn50w5/swav_RN50w5_400ep_pretrain.pth.tar"},
    {"swav_regnety16gf_800ep",
     "swav_regnet16_in1k/swav_in1k_regnet16gf_model_final_checkpoint_phase799.torch"},
    {"swav_regnety128gf_400ep", "swav_regnet128_in1k/model_phase230.torch"},
    {"seer_regnety32gf", "seer_regnet32d/seer_regnet32gf_model_iteration244000.torch"},
    {"seer_regnety64gf", "seer_regnet64/seer_regnet64gf_model_final_checkpoint_phase0.torch"},
    {"seer_regnety128gf",
     "swav_ig1b_regnet128Gf_cnstant_bs32_node16_sinkhorn10_proto16k_syncBN64_warmup8k/"
     "model_final_checkpoint_phase0.torch"},
    {"seer_regnety256gf",
     "swav_ig1b_cosine_rg256gf_noBNhead_wd1e5_fairstore_bs16_node64_sinkhorn10_proto16k_apex_"
     "syncBN64_warmup8k/model_final_checkpoint_phase0.torch"},
    {"seer_regnet10b", "seer_regnet10B/model_iteration124500_conso.torch"},
    {"mocov2_rn50_200ep",
     "moco_v2_1node_lr.03_step_b32_zero_init/model_final_checkpoint_phase199.torch"},
    {"mocov3_vit_b16_300ep", "swav_rn50w5/mocov3-vit-b-300ep.pth.tar"},
    {"barlow_twins_rn50_300ep",
     "barlow_twins/barlow_twins_32gpus_4node_imagenet1k_300ep_resnet50.torch"},
    {"barlow_twins_rn50_1000ep",
     "barlow_twins/barlow_twins_32gpus_4node_imagenet1k_1000ep_resnet50.torch"},
    {"dino_deit_s16_300ep", "dino_300ep_deitsmall16/model_final_checkpoint_phase299.torch"},
    {"dino_xcit_s16_300ep", "dino_300ep_xcitsmall16/model_phase250.torch"},
};

class VisslZoo {
 public:
  static void params(vissl::Params& p) { model_zoos::declare_additions(p); }
  explicit VisslZoo(const vissl::Config& c) {
    table_.add(kModels, std::size(kModels), "https://dl.fbaipublicfiles.com/vissl/model_zoo/");
    model_zoos::add_additions(table_, c);
  }
  std::string resolve(std::string_view locator) const {
    return table_.at(vissl::locator_path(locator));
  }
  void names(const vissl::WeightsNames& names) const { table_.names(names); }

 private:
  model_zoos::Table table_{"VISSL's model zoo", "vissl://"};
};

}  // namespace

VISSL_WEIGHTS_SCHEME(VisslZoo, "vissl", "VISSL's model zoo by short names.")
